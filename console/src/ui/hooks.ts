// SPDX-License-Identifier: Apache-2.0
// What several pages need of React: the time that goes on, the size of a thing, the part of a long list that is seen.

import { useEffect, useLayoutEffect, useState, type RefObject } from 'react'

/** Milliseconds since 1970, newer every so often. All lines that share a beat are drawn together. */
export function useNow(every = 10_000): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every)
    return () => clearInterval(timer)
  }, [every])
  return now
}

/** The width of an element, in whole pixels. */
export function useWidth(of: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const element = of.current
    if (!element) return
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)))
    observer.observe(element)
    setWidth(Math.floor(element.clientWidth))
    return () => observer.disconnect()
  }, [of])
  return width
}

const OVERSCAN = 6 // lines drawn beyond what is seen

/** Which lines of a long list are seen, [first, end); `scroller` is what scrolls, the list is somewhere in it. */
export function useSeen(
  list: RefObject<HTMLElement | null>,
  count: number,
  height: number,
): [first: number, end: number] {
  const [range, setRange] = useState<[number, number]>([0, 30])
  useLayoutEffect(() => {
    const element = list.current
    const scroller = element?.closest<HTMLElement>('[data-scroller]')
    if (!element || !scroller) return
    const look = (): void => {
      const above = scroller.getBoundingClientRect().top - element.getBoundingClientRect().top
      const first = Math.max(0, Math.floor(above / height) - OVERSCAN)
      const end = Math.ceil((above + scroller.clientHeight) / height) + OVERSCAN
      setRange(before => (before[0] === first && before[1] === end ? before : [first, end]))
    }
    look()
    scroller.addEventListener('scroll', look, { passive: true })
    const observer = new ResizeObserver(look)
    observer.observe(scroller)
    observer.observe(element)
    return () => {
      scroller.removeEventListener('scroll', look)
      observer.disconnect()
    }
  }, [list, height])
  const first = Math.min(range[0], Math.max(0, count - 1))
  return [first, Math.min(count, Math.max(range[1], first))]
}
