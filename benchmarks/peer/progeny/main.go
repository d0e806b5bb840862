// Command progeny has the system of this project, and those of the bare means that it uses.
package main

import (
	"github.com/progeny-go/progeny/actor"

	"github.com/progeny-go/progeny/benchmarks/bench"
)

func main() {
	boot()
	bench.Main(systems()...)
}

// boot is the first thing in main: this binary is every process that is measured.
func boot() {
	actor.Boot()
	bootBare()
}

func systems() []bench.System {
	return append([]bench.System{progeny(), barePipes, bareBuffered, bareReexec}, pingpongsInC()...)
}
