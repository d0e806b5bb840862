//go:build linux || darwin

package mailbox

import (
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func page(tb testing.TB) (parent, child *Page, f *os.File) {
	tb.Helper()
	parent, f, err := NewPage()
	if err != nil {
		tb.Fatal(err)
	}
	child, err = OpenPage(f)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { parent.Close(); child.Close(); f.Close() })
	return parent, child, f
}

func TestPage(t *testing.T) {
	parent, child, f := page(t)
	want := func(begun, finished uint64) {
		t.Helper()
		if b, f := parent.Progress(); b != begun || f != finished {
			t.Errorf("got %d, %d, want %d, %d", b, f, begun, finished)
		}
	}
	want(0, 0)
	child.Begin(1)
	want(1, 0)
	child.Finish(1)
	child.Begin(0x0102030405060708)
	want(0x0102030405060708, 1)

	// The layout is normative.
	bytes := make([]byte, pageMemory)
	if _, err := f.ReadAt(bytes, 0); err != nil {
		t.Fatal(err)
	}
	if magic := string(bytes[:8]); magic != "PGPAGE02" {
		t.Errorf("magic is %q", magic)
	}
	if begun := binary.LittleEndian.Uint64(bytes[64:]); begun != 0x0102030405060708 {
		t.Errorf("begun is %#x", begun)
	}
	if finished := binary.LittleEndian.Uint64(bytes[128:]); finished != 1 {
		t.Errorf("finished is %d", finished)
	}

	for range 2 {
		if err := parent.Close(); err != nil {
			t.Error(err)
		}
	}
	child.Finish(2)
	want(0x0102030405060708, 1) // as of Close
}

// A child that shortens the file would make the parent fault.
func TestPageIsSealed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can seal")
	}
	parent, _, f := page(t)
	for _, size := range []int64{0, pageMemory - 1, pageMemory + 1} {
		if err := f.Truncate(size); err == nil {
			t.Errorf("Truncate(%d) worked", size)
		}
	}
	parent.Progress()
}

func TestOpenPageRefuses(t *testing.T) {
	for _, content := range []string{"", "PGPAGE02", strings.Repeat("x", pageMemory), strings.Repeat("x", pageMemory+1)} {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(content)
		if _, err := OpenPage(f); err == nil {
			t.Errorf("took a file of %d bytes", len(content))
		}
		f.Close()
	}
}

func TestPageConcurrent(t *testing.T) {
	parent, child, _ := page(t)
	var all sync.WaitGroup
	all.Go(func() {
		for i := range uint64(10_000) {
			child.Begin(i + 1)
			child.Finish(i + 1)
		}
	})
	all.Go(func() {
		for last := uint64(0); last < 5000; {
			begun, finished := parent.Progress()
			if finished < last || begun < finished {
				t.Errorf("begun %d, finished %d after %d", begun, finished, last)
				return
			}
			last = finished
		}
		parent.Close()
	})
	all.Go(func() {
		for range 1000 {
			parent.Progress() // also during and after Close
		}
	})
	all.Wait()
}

func BenchmarkPage(b *testing.B) {
	parent, child, _ := page(b)
	b.Run("BeginFinish", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			child.Begin(1)
			child.Finish(1)
		}
	})
	b.Run("Progress", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			parent.Progress()
		}
	})
}
