# SPDX-License-Identifier: Apache-2.0
"""Does a text carry an injection? Seed 003 wants messages checked against SQL injection and cross-site scripting.

A text is refused for what an attack must do (leave a literal, end a statement, run a script), never for a word: people
write about SQL, HTML and committees. Each pattern here is narrow, and `tests/corpus` says how narrow.

No text can make this slow. Every pattern is tried on a text whose runs of white space are one space; its loops do not
nest, are bounded, or end at a character that they cannot contain, and the text between two such ends is read once.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

_ROUNDS = 3  # of decoding: once for us, once for a proxy, once more for whoever stands behind it

_INVISIBLE = dict.fromkeys([0, 0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF])
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_PLAIN = str.maketrans(_INVISIBLE | _FULL_WIDTH)

_NAMED = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&", "colon": ":", "lpar": "(", "rpar": ")"}
_NAMED |= {"sol": "/", "equals": "=", "grave": "`", "tab": "\t", "newline": "\n", "nbsp": " ", "num": "#", "semi": ";"}
_ENCODED = re.compile(
    r"%([0-9a-f]{2})|&#x0{0,6}([0-9a-f]{1,5});?|&#0{0,6}([0-9]{1,6});?|\\x([0-9a-f]{2})|\\u00([0-9a-f]{2})"
    rf"|&({'|'.join(_NAMED)});"
)
_SPACE = re.compile(r"[\s\x01-\x08]+")
_VERSIONED = re.compile(r"/\*!\d{0,6}(.{0,200}?)\*/")  # MySQL runs what stands in such a comment
_COMMENT = re.compile(r"/\*.{0,80}?\*/")
_FREE_QUOTE = re.compile(r"(?<![^\W\d_])['\"]|['\"](?![^\W\d_])")  # not an apostrophe inside a word

# --- cross-site scripting

_EVENTS = (
    "abort|after|animation|auxclick|before|begin|blur|bounce|cancel|canplay|change|click|close|contextmenu|copy|cut"
    "|dblclick|drag|drop|duration|emptied|end|error|finish|focus|full|hashchange|input|invalid|key|load|message|mouse"
    "|online|offline|page|paste|pause|play|pointer|popstate|progress|ratechange|readystate|repeat|reset|resize|scroll"
    "|search|seek|select|show|stalled|start|storage|submit|suspend|timeupdate|toggle|touch|transition|unhandled|unload"
    "|volume|waiting|webkit|wheel"
)
_HANDLER = rf"on(?:{_EVENTS})[a-z]{{0,20}} ?="
_CODE = (
    r"(?:[\w$.]{1,80}(?:[(\[`]| ?=(?!=))|(?:var|let|const) [\w$]{1,40} ?[=;,]|new \w{1,40}\(|throw \w{1,40}[(=;]"
    r"|import ?['\"({*]|function ?\w{0,40} ?\(|(?:if|for|while|with|try|switch|do) ?[({]|void ?[\d(]"
    r"|\([^ )]{0,60}(?:[(=]|\)\()|[\[{!~+$`'\"]|//|/\*|<!--|-\w)"
)
_SCRIPT_URI = "(?:j ?a ?v ?a|v ?b|l ?i ?v ?e) ?s ?c ?r ?i ?p ?t ?:"
_FOREIGN = "iframe|frame|embed|object|applet|base|portal|bgsound|i?layer"
_CALL = r"(?:alert|confirm|prompt|eval)(?: ?\(|`)[^()<]{0,80}[)`]"

_XSS = [
    re.compile(pattern)
    for pattern in (
        rf"<[ /]?script(?:[ /][^<>]{{0,300}})?> ?{_CODE}",  # `<script>alert(1)`, but not "the <script> tag"
        r"<[ /]?script[ /][^<>]{0,300}?\b(?:src|href) ?=",
        r"<\w{1,8}<script",  # what is left when a careless filter cuts the inner one out
        rf"<[ /]?[a-z?!][^<>]{{0,800}}?[ /\"'`]{_HANDLER}",  # <img src=x onerror=…>
        # " onfocus=… leaves an attribute
        rf"['\"`][ /]{{1,4}}(?:(?:autofocus|(?:src|style|tabindex) ?= ?\w{{0,20}}) ){{0,3}}{_HANDLER} ?['\"`\w(]",
        rf"<[ /]?(?:{_FOREIGN})[ /][^<>]{{0,300}}?\b(?:src|srcdoc|data|href|code|codebase|archive|classid) ?=",
        r"<[ /]?meta[ /][^<>]{0,300}?http-equiv ?= ?['\"`]?(?:refresh|set-cookie)",
        r"<[ /]?link[ /][^<>]{0,300}?rel ?= ?['\"`]?import",
        r"<[ /]?style[^<>]{0,100}>[^<]{0,800}?(?:@import|expression ?\(|-moz-binding)",
        r"\bstyle ?= ?['\"`]?[^'\"<>]{0,200}?(?:expression ?\(|-moz-binding|behaviou?r ?: ?url)",
        rf"(?:=|\burl\(|\]\() ?['\"`]? ?{_SCRIPT_URI} ?[^\s<>]{{0,200}}?[(`=\[/;]",  # as an attribute, link or style
        rf"\b{_SCRIPT_URI}(?!void\(0\))(?:[^\s<>'\"`(]{{0,200}}[(`]|[\w.]{{1,80}}=|/[/*])",  # bare, code behind it
        r"\bdata:(?:text/html|text/javascript|application/(?:x-)?javascript|application/xhtml\+xml)[;,]",
        rf"['\"`][ )\]}}]{{0,4}}[-+;*,|&] ?{_CALL} ?(?:;? ?//|;? ?<!--|[-+;*|&] ?['\"`])",  # ';alert(1)// ends a string
        r"\{\{[^{}]{0,200}\bconstructor\b",
    )
]

# --- SQL injection

_END = re.compile(r"(?:--|#|/\*)[ +;'\"\-]{0,4}$")  # a comment that swallows the rest of the host's statement
_STATEMENT = (
    r"(?:drop (?:table|database|schema|view|user|index|procedure|function|trigger|login|role)\b|delete from \w"
    r"|insert into \S|update [^\s;]{1,60} set \w|truncate (?:table )?\w|alter (?:table|user|login|database|role) \w"
    r"|create (?:table|user|login|database|function|procedure|role|or replace) |exec(?:ute)?(?: |\()|shutdown\b"
    r"|waitfor (?:delay|time) |grant \w{1,20} (?:on|to)|declare @|select [^;]{1,200} from \w|select \w{1,30}\("
    r"|copy \w{1,60} (?:from|to) |merge into |call \w{1,40}\()"
)
_FUNCTION = (
    r"(?:(?:sleep|benchmark|pg_sleep|randomblob|load_file|extractvalue|updatexml|ascii|ord|substr|substring|mid|length"
    r"|char|if|iif|convert|cast|concat|(?:dbms|utl)_\w{1,30}\.\w{1,30})\(|exists ?\(|case when\b|\( ?select\b)"
)
_NUMBER = r"-?\d{1,20}(?:\.\d{1,9})?"
_AND = r"(?:(?:or|and|xor|having)\b|\|\||&&)[ (]{0,9}"
_TAUTOLOGY = [
    re.compile(pattern)
    for pattern in (
        rf"{_AND}n?(['\"])([^'\"]{{0,40}})\1[ )]{{0,9}}(?:=|<=>|like)[ (]{{0,9}}n?\1\2",  # or 'a'='a
        rf"{_AND}(['\"])[^'\"]{{0,40}}\1 ?(?:<>|!=|<|>) ?\1",  # or 'a'<>'b
        r"['\"] ?(?:or|and) ?(['\"])\1 ?[-&^*]",  # ' or ''-'
        r"^-?\d{1,20}[ )]{0,9} (?:or|and) \(?(\d{1,9})=\(?\1\b",  # 105 or 1=1, the whole text
        r"\b[a-z_]\w{0,30}=[\w%]{1,40} (?:or|and) (\d{1,9})=\1\b",  # id=5 or 1=1
    )
]
_ALWAYS = (  # after ' or
    rf"(?:not[ (]{{1,4}})?{_NUMBER}[ )]{{0,9}}(?:[=<>!]{{1,3}}|like|in|between)[ (]{{0,9}}(?:{_NUMBER}|['\"])"
    r"|[\w.]{1,60} (?:like ['\"]%|is (?:not )?null\b)|['\"][^'\"]{0,40}['\"] ?(?:=|like) ?['\"]"
)
_STACKED = re.compile(rf"^(?:-?\d{{1,20}})?[ )]{{0,9}};[ ;]{{0,4}}{_STATEMENT}")
_AFTER_LITERAL = re.compile(
    rf"['\"][ )]{{0,9}}(?:[;|&+ ]{{1,4}}{_STATEMENT}|(?:{_AND}|[-+,;*/%][ (]{{0,9}}){_FUNCTION}|{_AND}(?:{_ALWAYS}))"
)
_AFTER_NUMBER = re.compile(rf"^-?\d{{1,20}}[ )]{{0,9}}(?:(?:or|and|xor)\b|\|\||&&|[-+,;*])[ (]{{0,9}}{_FUNCTION}")
_CUT_SHORT = re.compile(  # only with a comment at the end
    r"^[^ ]{0,64}['\"][ )]{0,9};? ?(?:--|#|/\*)"
    r"|['\"][ )]{0,9}(?:(?:or|and|xor|having|where)\b|\|\||&&)[^;]{0,120}?(?:[=<>(]|\blike\b|\bis\b)"
    r"|['\"][ )]{0,9}(?:or|and)[ (](?:true|\d{1,9})[ )]{0,9}(?:limit \d{1,9} ?)?;? ?(?:--|#|/\*)"
    r"|['\"][ )]{0,9}(?:order by|group by|having|limit|into (?:out|dump)file|procedure|waitfor) ?[\w('\"]"
    rf"|^-?\d{{1,20}}[ )]{{0,9}}(?:order by|group by|(?:or|and) {_NUMBER} ?[=<>]) ?\w"
    rf"|(?:^|;) ?{_STATEMENT}"
)
_PROCEDURE = re.compile(r"\bexec(?:ute)? ?(?:\w{1,20}\.){0,2}\.?(?:xp_cmdshell|xp_regread|xp_dirtree|sp_oacreate)\b")

_UNION = re.compile(r"\bunion[ (]{1,4}(?:(?:all|distinct)[ (]{1,4})?select\b[ (]{0,4}")
_BEFORE_UNION = re.compile(r"(?:^\S{0,30}['\"]|^-?\d{1,20}|(?:^|[ =])['\"])[ )]{0,9}$")
_COLUMNS = re.compile(r"[\w.,*@()=|: -]{1,200}? from [\w.\[`]")
_NOT_A_WORD = re.compile(
    r"null\b|\* from|@@?\w|0x[0-9a-f]|\d{1,9} ?, ?(?:\d|null\b|@|['\"]|\w{1,30} ?[(,])|['\"][^'\"]{0,40}['\"] ?,"
    r"|(?:char|concat|group_concat|version|user|database|schema|current_\w{1,9}|load_file|count|md5|sleep) ?\("
    r"|[\w.,*@() -]{0,200}?\b(?:password|passwd|pwd|information_schema|sqlite_master|sysobjects|pg_catalog|pg_shadow)\b"
)
_HONEST_SELECT = re.compile(r"\bselect [^;'\"]{1,300}? from \w")


def attack(text: str) -> str | None:
    """Which attack the text carries: `sql`, `xss`, or None for an honest text (seed 003)."""
    for view in _views(text):
        if any(pattern.search(view) for pattern in _XSS):
            return "xss"
        if _injects_sql(view):
            return "sql"
    return None


def _views(text: str) -> Iterator[str]:
    """The text as the programs behind us may come to see it, each one once."""
    seen = set()
    view = text.translate(_PLAIN).casefold()
    for _ in range(_ROUNDS):
        bare = _VERSIONED.sub(r" \1 ", view)
        for form in (view, _COMMENT.sub(" ", bare), _COMMENT.sub("", bare), _as_form(view)):
            spaced = _SPACE.sub(" ", form).strip()
            if spaced not in seen:
                seen.add(spaced)
                yield spaced
        view = _ENCODED.sub(_decoded, view).translate(_PLAIN).casefold()


def _as_form(view: str) -> str:
    """In a form's encoding a plus is a space; a text with spaces of its own is not in that encoding."""
    return view if " " in view else view.replace("+", " ")


def _decoded(found: re.Match[str]) -> str:
    percent, hexadecimal, decimal, escape, unicode, name = found.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(percent or hexadecimal or escape or unicode, 16)
    return chr(code) if code < 0x110000 else ""


def _injects_sql(view: str) -> bool:
    if any(pattern.search(view) for pattern in _TAUTOLOGY):
        return True
    if _STACKED.search(view) or _AFTER_NUMBER.search(view) or _PROCEDURE.search(view):
        return True
    if _END.search(view[-12:]) and _CUT_SHORT.search(view):
        return True
    return _leaves_literal(view) or _joins_select(view)


def _leaves_literal(view: str) -> bool:
    """Whether SQL follows a quote that closes what nobody here has opened, or hides the rest in a comment."""
    found = [match.start() for match in _AFTER_LITERAL.finditer(view)]
    if not found or _END.search(view[-12:]):
        return bool(found)
    quotes = [match.start() for match in _FREE_QUOTE.finditer(view)]
    return any(bisect_right(quotes, at) % 2 == 1 for at in found)


def _joins_select(view: str) -> bool:
    """Whether a second query is joined to one that is not in the text; a whole query with UNION is a lesson."""
    found = _UNION.search(view)
    if not found:
        return False
    before, after = view[: found.start()], view[found.end() :]
    if _END.search(view[-12:]) or (_BEFORE_UNION.search(before) and _COLUMNS.match(after)):
        return True
    return bool(_NOT_A_WORD.match(after)) and not _HONEST_SELECT.search(before)
