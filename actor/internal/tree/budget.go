package tree

import (
	"math"
	"time"
)

// A history is the times of the restarts that still count: a ring that grows
// on demand, to at most Intensity entries. Adding costs amortised constant
// time, however long the supervisor lives.
type history struct {
	at   []time.Duration // ring
	head int             // the oldest
	size int
}

// add records a restart at now and reports whether b allows it: OTP's rule, an
// earlier restart counts while now − it ≤ Period. After one that is not allowed
// the history is of no more use.
func (h *history) add(now time.Duration, b Budget) bool {
	h.expire(now, b)
	if h.size >= b.intensity() {
		return false
	}
	if h.size == len(h.at) {
		h.grow(b.intensity())
	}
	h.at[(h.head+h.size)%len(h.at)] = now
	h.size++
	return true
}

// full reports whether add would say no.
func (h *history) full(now time.Duration, b Budget) bool {
	return h.size >= b.intensity() && (h.size == 0 || now-h.at[h.head] <= b.period())
}

// count is how many restarts count now.
func (h *history) count(now time.Duration, b Budget) int {
	n := 0
	for i := range h.size {
		if now-h.at[(h.head+i)%len(h.at)] <= b.period() {
			n++
		}
	}
	return n
}

func (h *history) expire(now time.Duration, b Budget) {
	for h.size > 0 && now-h.at[h.head] > b.period() {
		h.head = (h.head + 1) % len(h.at)
		h.size--
	}
}

func (h *history) grow(limit int) {
	at := make([]time.Duration, min(max(2*len(h.at), 4), limit))
	for i := range h.size {
		at[i] = h.at[(h.head+i)%len(h.at)]
	}
	h.at, h.head = at, 0
}

// delay returns how long the restart after n others in a row waits. random is
// in [0,1).
func (b Backoff) delay(n int, random float64) time.Duration {
	if b.Min == 0 {
		return 0
	}
	factor := b.Factor
	if factor == 0 {
		factor = DefaultFactor
	}
	d := min(float64(b.Min)*math.Pow(factor, float64(n)), float64(b.max()))
	d *= 1 + random*b.Jitter
	if d >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(d)
}

func (b Backoff) max() time.Duration {
	if b.Max == 0 {
		return max(time.Minute, b.Min)
	}
	return b.Max
}

// healthy reports whether a child that was up so long has its failures forgiven.
func (b Backoff) healthy(up time.Duration) bool {
	if b.ResetAfter == 0 {
		return up >= b.max()
	}
	return up >= b.ResetAfter
}
