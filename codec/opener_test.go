package codec

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// openerEnvelopes are some of which neighbours differ in this and that.
func openerEnvelopes() []Envelope {
	base := Envelope{Kind: 3, To: ID{1}, From: ID{2}, Type: []byte("main.Hello"), Payload: []byte{0xc0}}
	all := []Envelope{base, base}
	vary := func(change func(e *Envelope)) {
		e := base
		change(&e)
		all = append(all, e, e, base, e)
	}
	vary(func(e *Envelope) { e.Kind = 200 })
	vary(func(e *Envelope) { e.To = ID{} })
	vary(func(e *Envelope) { e.To[15] = 9 })
	vary(func(e *Envelope) { e.From = ID{} })
	vary(func(e *Envelope) { e.From[0] = 9 })
	for _, n := range []uint64{1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64} {
		vary(func(e *Envelope) { e.Corr = n })
		vary(func(e *Envelope) { e.Deadline = int64(n >> 1) })
		vary(func(e *Envelope) { e.Deadline = -int64(n >> 1) })
		vary(func(e *Envelope) { e.Key = n })
	}
	for _, n := range []int{0, 1, 31, 32, 200, 255, 256, 300} {
		vary(func(e *Envelope) { e.Type = bytes.Repeat([]byte{'t'}, n) })
		vary(func(e *Envelope) { e.Trace = bytes.Repeat([]byte{'c'}, n) })
		vary(func(e *Envelope) { e.Payload = bytes.Repeat([]byte{'p'}, n) })
	}
	return all
}

// TestOpener checks that an Opener says of each frame what DecodeEnvelope says, whatever came before.
func TestOpener(t *testing.T) {
	all := openerEnvelopes()
	var o Opener
	check := func(e *Envelope) {
		t.Helper()
		got, err := o.Open(content(t, e))
		if err != nil {
			t.Fatal(err)
		}
		if !same(got, e) {
			t.Fatalf("got %+v, want %+v", got, e)
		}
	}
	for i := range all {
		check(&all[i])
	}
	for range 20000 {
		check(&all[rand.IntN(len(all))])
	}
}

// TestOpenerKeepsNothing checks that what an Opener remembers is not the frame's memory.
func TestOpenerKeepsNothing(t *testing.T) {
	e := Envelope{Kind: 1, Type: []byte("main.Hello"), Trace: []byte("trace"), Payload: []byte{1}}
	frame := content(t, &e)
	var o Opener
	if _, err := o.Open(bytes.Clone(frame)); err != nil {
		t.Fatal(err)
	}
	copied := bytes.Clone(frame)
	got, err := o.Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	typ, trace := got.Type, got.Trace
	clear(copied)
	if string(typ) != "main.Hello" || string(trace) != "trace" {
		t.Errorf("the type is %q and the trace %q after the frame has gone", typ, trace)
	}
	if got, err := o.Open(frame); err != nil || !same(got, &e) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestOpenerSame checks that what an Opener calls the same is so, and that a stream of such frames is called so.
func TestOpenerSame(t *testing.T) {
	all := openerEnvelopes()
	var o Opener
	last := Envelope{}
	found := 0
	for i := range 20000 {
		e := &all[rand.IntN(len(all))]
		if i%3 > 0 {
			e = &all[0]
		}
		if _, err := o.Open(content(t, e)); err != nil {
			t.Fatal(err)
		}
		if o.Same() {
			found++
			last.Corr, last.Deadline, last.Payload = e.Corr, e.Deadline, e.Payload
			if !same(&last, e) {
				t.Fatalf("%+v is the same as %+v", e, last)
			}
		}
		last = *e
	}
	if found < 5000 {
		t.Errorf("%d of 20000 frames were the same, want a third at least", found)
	}
	frame := content(t, &all[0])
	for _, want := range []bool{false, true, true} {
		if !want {
			o.Forget()
		}
		if _, err := o.Open(frame); err != nil || o.Same() != want {
			t.Errorf("after Forget: same is %t, want %t (%v)", o.Same(), want, err)
		}
	}
	if o.Release(); o.last.Payload != nil {
		t.Error("Release leaves the payload")
	}
}

// FuzzOpener opens one frame after another, neither of which need be sound.
func FuzzOpener(f *testing.F) {
	all := openerEnvelopes()
	for i := range all[1:] {
		f.Add(content(f, &all[i]), content(f, &all[i+1]))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var o Opener
		for _, frame := range [][]byte{first, second, first, second, second} {
			var want Envelope
			wantErr := DecodeEnvelope(frame, &want)
			got, err := o.Open(frame)
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
				t.Fatalf("Open: %v; DecodeEnvelope: %v", err, wantErr)
			}
			if err == nil && !same(got, &want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
			if kind, err := PeekKind(frame); wantErr == nil && (err != nil || kind != want.Kind) {
				t.Fatalf("PeekKind: %d, %v; want %d", kind, err, want.Kind)
			}
		}
	})
}

func BenchmarkOpener(b *testing.B) {
	frame := content(b, &Envelope{Kind: 3, To: ID{1}, From: ID{2}, Type: []byte("main.Hello"), Payload: make([]byte, 64)})
	var o Opener
	b.ReportAllocs()
	for b.Loop() {
		if _, err := o.Open(frame); err != nil {
			b.Fatal(err)
		}
	}
}
