package spawn

// A build identifies the file that a process runs, on one machine.
type build [16]byte

// An exe is the file that this process runs.
type exe struct {
	path  string // to start it again
	build build
	exact bool // path leads to this very file, whatever becomes of its name
}
