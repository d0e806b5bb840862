// Package child is an actor process's side of the actor system: the link to
// its node, the queue of messages, and the loop that handles them one by one.
//
// Two goroutines do the work. The reader takes frames off the inbox: replies go
// to whoever waits for them, messages into the queue; so a handler that asks
// another actor gets its answer although messages stand before it. The worker
// takes messages off the queue and runs the actor's code. Neither recovers a
// panic: the process dies, and that is the point.
package child
