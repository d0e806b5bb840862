package spawn

import (
	"os"
	"unsafe"
)

// argv0 is the memory in which the kernel put the first argument, and whose contents it
// shows (proc(5), cmdline). The runtime leaves it where it is.
var argv0 []byte

// keepArgv0 is called while nobody can have changed os.Args.
func keepArgv0() {
	argv0 = unsafe.Slice(unsafe.StringData(os.Args[0]), len(os.Args[0]))
}

// Rename changes what ps shows of this process, as far as there is room: a name that
// is too long is cut ([Command].Room). It is not safe for concurrent use with
// os.Args.
func (b *Birth) Rename(name string) {
	if os.Args[0] != title(name) {
		os.Args[0] = title(name)
		clear(argv0[copy(argv0, os.Args[0]):])
	}
}
