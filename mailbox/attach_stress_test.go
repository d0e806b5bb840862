//go:build unix

package mailbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/progeny-go/progeny/codec"
)

// Senders of a stress test that are none: who pushes control frames, and the first frame.
const (
	pusher = 0
	opener = 1 << 30
)

// mortal is a stress test of one Writer and its mortal readers.
type mortal struct {
	t        *testing.T
	w        *Writer
	attempts int // how often a frame is begun at most
	senders  sync.WaitGroup
	sent     [][]int // what was taken in, by sender

	generation atomic.Int64 // of the reader that is or will be attached
	pushed     map[int]int64
	got        map[int]int64 // by the number of a control frame: which generation got it

	// The following belong to the reader of the moment, and between two to the test.
	handled  arrivals // what was handled or is a dead letter, once each
	filtered arrivals // what Filter took out
	begun    []byte   // the content of the frame in progress
	done     bool     // it was handled, though Finish did not say so
	repeated bool     // it was handled by an earlier reader
	tries    int      // of the oldest frame
}

// TestStressDetach has senders of every kind at full speed, while the reader dies hundreds of
// times at any point. Each frame that was taken in is handled once or is a
// suspect that is not returned, in order for each sender, or is taken out by Filter. What is
// returned is handled again at most so often.
func TestStressDetach(t *testing.T) {
	for _, procs := range []int{1, runtime.GOMAXPROCS(0)} {
		for _, attempts := range []int{1, 3} {
			for _, closing := range []bool{false, true} {
				t.Run(fmt.Sprintf("procs=%d/attempts=%d/close=%t", procs, attempts, closing), func(t *testing.T) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
					stressDetach(t, attempts, closing)
				})
			}
		}
	}
}

func stressDetach(t *testing.T, attempts int, closing bool) {
	check(t)
	const senders, each = 8, 800
	m := &mortal{
		t: t, attempts: attempts,
		w:       NewWriter(nil, WriterConfig{Retain: true, Capacity: Capacity{Messages: 50, Bytes: 200_000}}),
		sent:    make([][]int, senders+1),
		handled: arrivals{of: make([][]int, senders+1)}, filtered: arrivals{of: make([][]int, senders+1)},
		pushed: map[int]int64{}, got: map[int]int64{},
	}
	defer m.w.Close()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1000))
	for s := range senders {
		m.senders.Go(func() { m.send(s+1, each, rand.New(rand.NewPCG(seed, uint64(s)))) })
	}
	over := make(chan bool)
	var others sync.WaitGroup
	others.Go(func() { m.push(over, rand.New(rand.NewPCG(seed, 1001))) })
	sending := make(chan bool)
	others.Go(func() { m.senders.Wait(); close(sending) })
	if closing {
		after := time.Duration(rng.IntN(300_000)) * time.Microsecond
		others.Go(func() { time.Sleep(after); m.w.Close() })
	}

	deaths := 0
	for alive := true; alive; deaths++ {
		alive = m.live(rng, true)
		select {
		case <-sending:
			alive = false
		default:
		}
	}
	if !closing {
		m.finish(rng)
	}
	close(over)
	m.w.Close()
	others.Wait()
	for _, h := range m.w.Abandon() {
		m.record(content(h.Frame))
	}
	if !closing && deaths < 100 {
		t.Errorf("only %d deaths", deaths)
	}
	t.Logf("%d deaths", deaths)
	dropped := 0
	for s := range m.sent {
		if !slices.IsSorted(m.handled.of[s]) {
			t.Errorf("sender %d: not handled in order", s)
		}
		dropped += len(m.filtered.of[s])
		m.handled.of[s] = append(m.handled.of[s], m.filtered.of[s]...)
		slices.Sort(m.handled.of[s])
		if a, b := fmt.Sprint(m.sent[s]), fmt.Sprint(m.handled.of[s]); a != b {
			t.Errorf("sender %d: sent %d, handled %d, or not the same", s, len(m.sent[s]), len(m.handled.of[s]))
		}
	}
	if !closing && dropped < 100 {
		t.Errorf("only %d taken out by Filter", dropped)
	}
	for n, generation := range m.got {
		if meant, known := m.pushed[n]; known && meant != generation {
			t.Errorf("control frame %d of generation %d reached %d", n, meant, generation)
		}
	}
}

func content(frame []byte) []byte { return frame[5:] }

// send puts frames in until they are all there or the Writer is closed.
func (m *mortal) send(s, each int, rng *rand.Rand) {
	var waiting atomic.Int64
	for n := range each {
		f := stressFrame(s, n, rng)
		var err error
		switch way := rng.IntN(20); {
		case way == 0:
			err = m.w.TryPut(f)
		case way < 4 && waiting.Load() < 10:
			waiting.Add(1)
			err = m.w.Enqueue(f, func() { waiting.Add(-1) })
		case way == 4:
			err = m.w.Force(f)
		case way < 8:
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(500))*time.Microsecond)
			err = m.w.Put(ctx, f)
			cancel()
		default:
			err = m.w.Put(context.Background(), f)
		}
		switch {
		case err == nil:
			m.sent[s] = append(m.sent[s], n)
		case errors.Is(err, os.ErrClosed):
			return
		case err != ErrFull && !errors.Is(err, context.DeadlineExceeded):
			m.t.Errorf("sender %d: %v", s, err)
			return
		}
	}
}

// push sends control frames and notes for whom.
func (m *mortal) push(over <-chan bool, rng *rand.Rand) {
	for n := 0; ; n++ {
		select {
		case <-over:
			return
		default:
		}
		f := stressFrame(pusher, n, rng)
		before := m.generation.Load() // the number of its attachment, too
		if n%2 == 0 {
			if err := m.w.PushTo(uint64(before), f); err == nil {
				m.pushed[n] = before
			}
		} else if err := m.w.Push(f); err == nil && m.generation.Load() == before {
			m.pushed[n] = before
		}
		m.w.Depth()
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Microsecond)
		_ = m.w.Flush(ctx)
		cancel()
	}
}

// live attaches a reader, has it die, and buries it. It reports whether another may follow.
func (m *mortal) live(rng *rand.Rand, dies bool) bool {
	page, file, err := NewPage()
	if err != nil {
		m.t.Error(err)
		return false
	}
	defer page.Close()
	file.Close()
	pr, pw, err := os.Pipe()
	if err != nil {
		m.t.Error(err)
		return false
	}
	r := NewReader(pr, codec.DefaultFrameLimit)
	defer r.Close()
	generation := m.generation.Add(1)
	first := stressFrame(opener, int(generation), rng)
	if _, err := m.w.Attach(pw, first, func() uint64 { _, n := page.Progress(); return n }, nil); err != nil {
		if !errors.Is(err, os.ErrClosed) {
			m.t.Error(err)
		}
		return false
	}
	var killed atomic.Bool
	dead := make(chan bool)
	frames, readerRNG := rng.IntN(60), rand.New(rand.NewPCG(rng.Uint64(), 0))
	if !dies {
		frames = 1 << 30
	}
	go func() { defer close(dead); m.read(r, page, generation, &killed, frames, readerRNG) }()
	if dies {
		select {
		case <-dead:
		case <-time.After(time.Duration(rng.IntN(3000)) * time.Microsecond):
			killed.Store(true)
			r.Drain()
		}
	}
	<-dead
	if rng.IntN(2) == 0 { // else somebody has inherited the pipe and keeps it open
		r.Close()
		time.Sleep(time.Duration(rng.IntN(300)) * time.Microsecond)
	}
	m.bury(m.w.Detach(page.Progress()))
	m.between(rng)
	return !m.t.Failed()
}

// between looks at what is there while no reader is, and takes some of it out.
func (m *mortal) between(rng *rand.Rand) {
	if rng.IntN(3) == 0 {
		last := make([]int, len(m.sent))
		for frame := range m.w.Held {
			seen := arrivals{of: make([][]int, len(m.sent))}
			if err := seen.add(content(frame)); err != nil {
				m.t.Error(err)
				break
			}
			sender := binary.BigEndian.Uint32(content(frame))
			if n := seen.of[sender][0] + 1; n > last[sender] {
				last[sender] = n
			} else {
				m.t.Errorf("Held: sender %d: %d after %d", sender, n-1, last[sender]-1)
			}
			if rng.IntN(200) == 0 {
				break
			}
		}
	}
	if rng.IntN(4) > 0 {
		return
	}
	returned, odds, want := m.tries > 0, 1+rng.IntN(20), 0
	dropped := m.w.Filter(func(frame []byte) bool {
		if returned { // the oldest: it may have been handled, so that it is in one place already
			returned = false
			return true
		}
		if rng.IntN(odds) > 0 {
			return true
		}
		want++
		if err := m.filtered.add(content(frame)); err != nil {
			m.t.Error(err)
		}
		return false
	})
	if dropped != want {
		m.t.Errorf("Filter: got %d, want %d", dropped, want)
	}
}

// read is a reader process. It returns where it dies.
func (m *mortal) read(r *Reader, page *Page, generation int64, killed *atomic.Bool, frames int, rng *rand.Rand) {
	dies := func() bool { return killed.Load() || frames < 0 && rng.IntN(3) == 0 }
	n := uint64(0)
	for first := true; ; first = false {
		f, err := r.Next()
		if dies() || err != nil {
			return // only a Drain or a Close ends it: what is missing will be missed
		}
		sender := binary.BigEndian.Uint32(f.Bytes)
		if first {
			if got := binary.BigEndian.Uint32(f.Bytes[4:]); sender != opener || int64(got) != generation {
				m.t.Errorf("generation %d begins with %d, %d", generation, sender, got)
			}
			continue
		}
		if sender == pusher {
			m.got[int(binary.BigEndian.Uint32(f.Bytes[4:]))] = generation
			continue
		}
		frames--
		n++
		m.begun, m.done = append([]byte(nil), f.Bytes...), false
		page.Begin(n)
		if dies() {
			return
		}
		m.record(m.begun)
		m.done = true
		if dies() {
			return
		}
		page.Finish(n)
		m.begun, m.tries, m.repeated = nil, 0, false
		if dies() {
			return
		}
		if !r.Ready() || rng.IntN(20) == 0 {
			if err := m.w.Release(n); err != nil {
				m.t.Error(err)
			}
		}
	}
}

// record notes that a frame was handled or never will be.
func (m *mortal) record(content []byte) {
	if m.repeated {
		m.repeated = false
		return
	}
	if err := m.handled.add(content); err != nil {
		m.t.Error(err)
	}
}

// bury compares the suspect with what the reader was at, and gives it back while it may be.
func (m *mortal) bury(suspect *Held) {
	if (suspect != nil) != (m.begun != nil) || suspect != nil && string(content(suspect.Frame)) != string(m.begun) {
		m.t.Errorf("suspect is %v, and %d bytes were in progress", suspect, len(m.begun))
		return
	}
	if suspect == nil {
		return
	}
	m.begun = nil
	known := m.done || m.repeated
	if m.tries++; m.tries < m.attempts {
		if err := m.w.Return(suspect); err == nil {
			m.repeated = known
			return
		} else if !errors.Is(err, os.ErrClosed) {
			m.t.Error(err)
		}
	}
	if m.tries = 0; !known {
		m.record(content(suspect.Frame))
	}
	m.repeated = false
}

// finish attaches readers that live until all is handled.
func (m *mortal) finish(rng *rand.Rand) {
	var last sync.WaitGroup
	last.Go(func() { m.live(rng, false) })
	eventually(m.t, "all handled", func() bool { n, _ := m.w.Depth(); return n == 0 && waiting(m.w) == 0 })
	m.w.Close()
	last.Wait()
}
