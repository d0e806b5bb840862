package main

// A deed is what an actor does to itself when it is told.
type deed byte

const (
	nothing deed = iota
	panics
	goroutinePanics
	nilMap
	overflows
	exits
	exitsZero
	goexits
	fails        // its handler returns an error: no harm
	failsForGood // it ends with an error
	stops
	hangs
	spins
	leaks
	closesAll // its descriptors
	closesOne
	stopsItself // SIGSTOP
	floodsMessages
	floodsLogs
	floodsOutput
	bears        // starts a process that sleeps
	bearsFar     // the same, out of its process group, if it has a control group
	bearsAndDies // starts one, and panics
	deeds        // how many there are
)

var deedNames = [deeds]string{
	"nothing", "panic", "panic in a goroutine", "nil map write", "stack overflow", "os.Exit(3)", "os.Exit(0)", "Goexit",
	"handler error", "exit with an error", "stop itself", "hang", "spin", "leak", "close all descriptors", "close a descriptor",
	"SIGSTOP itself", "flood of messages", "flood of logs", "flood of output", "grandchild", "grandchild in a session of its own", "grandchild and panic",
}

func (d deed) String() string { return deedNames[d] }
