# SPDX-License-Identifier: Apache-2.0
"""What Redis does in one step. A script compares, counts and writes; what is written was decided by the domain.

Every value in `users` and on the relay is `<seq> <entry as JSON>`; on the relay it is empty for a user who is gone.
Time is Redis's own, unless a test gives another.
"""

_NOW = """
local function now(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local function whole(number) return string.format('%.0f', number) end
"""

_MAY = """
local function may(state, leases, roster, lease)
  if redis.call('HGET', state, 'id') ~= roster then return redis.error_reply('LOST another roster') end
  if not redis.call('ZSCORE', leases, lease) then return redis.error_reply('FENCED this lease has ended') end
end
local function publish(state, relay, kept, user, value)
  local seq = whole(redis.call('HINCRBY', state, 'seq', 1))
  if value ~= '' then value = (string.match(value, '^%d+ ') and value) or (seq .. value) end
  redis.call('XADD', relay, 'MAXLEN', '~', kept, seq .. '-0', 'user', user, 'value', value)
  return seq, value
end
"""

JOIN = (
    _NOW
    + """
-- KEYS state leases; ARGV a new roster's id, seconds of a lease, now or nothing
local at = now(ARGV[3])
if redis.call('HSETNX', KEYS[1], 'id', ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], 'seq', whole(math.floor(at * 1000000)))
end
local epoch = math.max(tonumber(redis.call('HGET', KEYS[1], 'epoch') or '0') + 1, math.floor(at * 1000))
redis.call('HSET', KEYS[1], 'epoch', whole(epoch))
redis.call('ZADD', KEYS[2], string.format('%.6f', at + tonumber(ARGV[2])), whole(epoch))
return {redis.call('HGET', KEYS[1], 'id'), whole(epoch)}
"""
)

RENEW = (
    _NOW
    + _MAY
    + """
-- KEYS state leases ended; ARGV roster, lease, seconds of a lease, seconds to a renewal, ended leases to keep, now
local refused = may(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if refused then return refused end
local at = now(ARGV[6])
redis.call('ZADD', KEYS[2], 'XX', string.format('%.6f', at + tonumber(ARGV[3])), ARGV[2])
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.6f', at), 'WITHSCORES')
for i = 1, #over, 2 do
  redis.call('ZREM', KEYS[2], over[i])
  local alive = tonumber(over[i + 1]) - tonumber(ARGV[3]) + tonumber(ARGV[4])
  redis.call('ZADD', KEYS[3], 'NX', string.format('%.6f', alive), over[i])
end
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -tonumber(ARGV[5]) - 1)
local ended = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES')
local live = redis.call('ZRANGE', KEYS[2], 0, -1)
return {string.format('%.6f', at), redis.call('HGET', KEYS[1], 'seq'), live, ended}
"""
)

SWAP = (
    _NOW
    + _MAY
    + """
-- KEYS state leases users relay; ARGV roster, lease, changes to keep, then for each swap: user, expected, entry
local refused = may(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if refused then return refused end
local answers = {}
for i = 4, #ARGV, 3 do
  local user, expected, entry = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local there = redis.call('HGET', KEYS[3], user)
  if ((there and string.match(there, '^%d+')) or '0') ~= expected then
    answers[#answers + 1] = {0, there or ''}
  else
    local seq, value = publish(KEYS[1], KEYS[4], ARGV[3], user, entry)
    if value == '' then
      redis.call('HDEL', KEYS[3], user)
    else
      redis.call('HSET', KEYS[3], user, value)
    end
    answers[#answers + 1] = {1, seq}
  end
end
return answers
"""
)

PUT_BACK = (
    _NOW
    + _MAY
    + """
-- KEYS state leases users relay ended; ARGV roster, lease, changes to keep, now, how many owners, owners,
-- then for each entry: user, seq, value
local refused = may(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if refused then return refused end
local at, first = now(ARGV[4]), 6 + tonumber(ARGV[5])
for i = 6, first - 1 do
  if not redis.call('ZSCORE', KEYS[2], ARGV[i]) then
    redis.call('ZADD', KEYS[5], 'NX', string.format('%.6f', at), ARGV[i])
  end
end
for i = first, #ARGV, 3 do
  local user, seq, value = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if tonumber(redis.call('HGET', KEYS[1], 'seq')) < tonumber(seq) then redis.call('HSET', KEYS[1], 'seq', seq) end
  local there = redis.call('HGET', KEYS[3], user)
  if not there or tonumber(string.match(there, '^%d+')) < tonumber(seq) then
    redis.call('HSET', KEYS[3], user, value)
    publish(KEYS[1], KEYS[4], ARGV[3], user, value)
  end
end
return 'OK'
"""
)
