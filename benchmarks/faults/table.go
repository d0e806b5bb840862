package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// printTable prints results as Markdown: a row for each fault, a column for each system, in the order in which they
// come.
func printTable(w io.Writer, results []result) {
	var faults, columns []string
	outcomes := map[[2]string]string{}
	for _, r := range results {
		faults, columns = add(faults, r.Fault), add(columns, r.System)
		outcomes[[2]string{r.Fault, r.System}] = r.Outcome
	}
	row := func(first string, rest []string) { fmt.Fprintf(w, "| %s | %s |\n", first, strings.Join(rest, " | ")) }
	row("what the actor does", columns)
	fmt.Fprintln(w, strings.Repeat("|---", len(columns)+1)+"|")
	for _, f := range faults {
		var cells []string
		for _, c := range columns {
			cells = append(cells, strings.ReplaceAll(outcomes[[2]string{f, c}], "|", `\|`))
		}
		row(f, cells)
	}
}

// add adds what is not there yet.
func add(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}

// printVersions says what was compared, and why what was not.
func printVersions(w io.Writer, programs []program) {
	var parts []string
	for _, p := range programs {
		switch {
		case p.err != nil:
			fmt.Fprintf(w, "\nLEFT OUT: %s: %v\n", p.system, p.err)
		case p.version != "":
			parts = append(parts, p.system+" "+p.version)
		}
	}
	fmt.Fprintf(w, "\n%s\n", strings.Join(parts, ", "))
}
