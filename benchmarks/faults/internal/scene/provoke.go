package scene

import (
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/progeny-go/progeny/benchmarks/faults/internal/fault"
)

// MemoryLimit is what systems that can do so are to limit each actor's memory to.
const MemoryLimit = 128 << 20

// grown is how large an actor gets that is not limited.
const grown = 4 * MemoryLimit

// provoke is the fault, in the handler.
func provoke(id string) {
	switch id {
	case fault.Panic:
		panic("on purpose")
	case fault.Goroutine:
		go panic("on purpose")
		select {}
	case fault.Map:
		writeConcurrently()
	case fault.Stack:
		debug.SetMaxStack(64 << 20) // the default of 1 GB dies as surely, but later
		runtime.KeepAlive(recurse(1))
	case fault.Segfault:
		segfault()
	case fault.Exit:
		os.Exit(3)
	case fault.Spin:
		for n := 0; ; n++ {
		}
	case fault.Memory:
		grow()
	}
}

func writeConcurrently() {
	m := map[int]int{}
	for range 2 {
		go func() {
			for i := 0; ; i++ {
				m[i%8] = i
			}
		}()
	}
	select {}
}

//go:noinline
func recurse(n int) int {
	if n == 0 { // it never is
		return 0
	}
	return recurse(n+1) + n
}

// held keeps what grow has allocated, as a leak would.
var held [][]byte

// grow takes a third of a second, so that a limit that is kept by looking now and then has its chance.
func grow() {
	const step = 16 << 20
	for range grown / step {
		b := make([]byte, step)
		for i := range b {
			b[i] = 1 // or the kernel would not give it the memory
		}
		held = append(held, b)
		time.Sleep(10 * time.Millisecond)
	}
}
