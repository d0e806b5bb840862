// Package fault says which faults there are, and what can be observed of one.
package fault

// A Fault is a row of the table.
type Fault struct {
	ID   string // one word, for command lines
	Name string
	// Words are what a whole program that dies of it says last, or the status that it exits with.
	Words string
}

// The faults' IDs.
const (
	Panic     = "panic"
	Goroutine = "goroutine"
	Map       = "map"
	Stack     = "stack"
	Segfault  = "segfault"
	Exit      = "exit"
	Spin      = "spin"
	Blocked   = "blocked"
	Burst     = "burst"
	Order     = "order"
	Memory    = "memory"
)

// All are the faults in the order of the table.
var All = []Fault{
	{Panic, "panic in the handler", "panic: on purpose"},
	{Goroutine, "panic in a goroutine it started", "panic: on purpose"},
	{Map, "concurrent map write", "fatal error: concurrent map writes"},
	{Stack, "stack overflow", "fatal error: stack overflow"},
	{Segfault, "segfault in C through cgo", "SIGSEGV"},
	{Exit, "os.Exit in a library it calls", "exit status 3"},
	{Spin, "handler spins for ever, strongest stop", ""},
	{Blocked, "as many blocked actors as cores, ask another", ""},
	{Burst, "500 × 1 MiB burst to another process, defaults", ""},
	{Order, "an Ask after 100 Tells, other process", ""},
	{Memory, "memory of one actor limited", "out of memory"},
}

// Fate is what has become of the victim.
type Fate string

// The fates. The zero one is that it answers no more.
const (
	Replaced Fate = "replaced" // it answers again, with fresh state
	Same     Fate = "same"     // it answers with the state from before
	Gone     Fate = "gone"     // it was ended for good
)

// Facts are what the program of a system observes of a fault. It prints them in parts, one JSON object
// to a line, as they come to be known. What it could not say any more is zero.
type Facts struct {
	Ready bool `json:"ready,omitempty"` // everything is up, and the fault comes next
	Done  bool `json:"done,omitempty"`  // the program has lived to say all

	Bystander bool `json:"bystander,omitempty"` // another actor answers afterwards
	Victim    Fate `json:"victim,omitempty"`
	// Of the messages behind the one that provoked the fault, or of the burst.
	Sent    int `json:"sent,omitempty"`
	Arrived int `json:"arrived,omitempty"`

	Stopped bool `json:"stopped,omitempty"` // the strongest stop has returned in time
	Burning bool `json:"burning,omitempty"` // the handler uses the processor after it

	Rounds  int `json:"rounds,omitempty"`
	InOrder int `json:"in_order,omitempty"` // rounds in which the Ask came last, as sent

	Without string `json:"without,omitempty"` // why the fault was not provoked
	Error   string `json:"error,omitempty"`   // what kept the program from observing it
}
