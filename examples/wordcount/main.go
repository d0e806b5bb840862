// Command wordcount counts the words in files, as wc -w does, with worker
// processes that may die of what they read.
//
//	wordcount [-workers N] [-poison GLOB] [-v] [PATH…]
//
// A PATH is a file, or a folder whose files are counted with all below it; with
// none, it is Go's own source tree. The twenty most frequent words are printed
// with their counts, and as the last line
//
//	total: W words in F files
//
// where W is what wc -w says of the F files that were counted. A file named
// twice is counted twice, as wc does it.
//
// Not counted, with a message on standard error, are files that cannot be read,
// binary files (a NUL byte in the first 8 KiB), what is no regular file, and
// files that killed their worker. Symbolic links are followed if they are
// named, and not inside of folders. The exit status is 1 if nothing could be
// counted, if the program was interrupted, and if it could not do its work.
//
// Try -poison 'print*.go': on files whose base name matches the pattern, the worker
// crashes in a way that no recover can prevent. The file is reported with
// the reason, the worker is restarted, and the count goes on: the files that
// waited for that worker are kept for the next one.
//
// # What is a word
//
// What is between white space, if at least one character of it is printable:
// the notion of GNU wc up to version 9.4, whose character set is that of the
// locale in LC_ALL, LC_CTYPE or LANG, whichever is set first. In a UTF-8 locale
// the spaces of Unicode count as well, non-breaking ones included; a byte that
// is not UTF-8 is not printable. Every other locale is taken for C, where only
// ASCII is printable. Later versions of GNU wc, and the one of macOS, take anything
// between white space for a word, and so find a few more in odd files.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/progeny-go/progeny/actor"
)

type options struct {
	workers int
	poison  string
	verbose bool
	paths   []string
}

func main() {
	actor.Boot() // a worker's process goes no further
	o := parse(os.Args[1:])
	// What a worker prints while it dies would end up in the midst of the
	// results. Its Down says the same in one line.
	quiet := actor.Options{Logger: slog.New(slog.DiscardHandler)}
	actor.MainWith(quiet, func(ctx context.Context, sys *actor.System) error {
		return run(ctx, sys, o)
	})
}

// parse exits with status 2 if the arguments are wrong.
func parse(args []string) (o options) {
	flags := flag.NewFlagSet("wordcount", flag.ExitOnError)
	flags.IntVar(&o.workers, "workers", min(runtime.GOMAXPROCS(0), actor.MaxPoolSize), "count with `N` processes")
	flags.StringVar(&o.poison, "poison", "", "crash the worker on files whose base name matches `GLOB`")
	flags.BoolVar(&o.verbose, "v", false, "name every file that is not counted")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: wordcount [-workers N] [-poison GLOB] [-v] [PATH…]")
		flags.PrintDefaults()
	}
	flags.Parse(args)
	o.paths = flags.Args()

	var wrong string
	if o.workers < 1 || o.workers > actor.MaxPoolSize {
		wrong = fmt.Sprintf("-workers %d: 1 to %d are possible", o.workers, actor.MaxPoolSize)
	}
	if _, err := filepath.Match(o.poison, ""); err != nil {
		wrong = fmt.Sprintf("-poison %q: %v", o.poison, err)
	}
	if wrong != "" {
		fmt.Fprintf(flags.Output(), "wordcount: %s\n", wrong)
		flags.Usage()
		os.Exit(2)
	}
	return o
}

// run counts: one goroutine finds the files, others have them counted by the
// pool, two for each worker so that none of these waits for its next file, and
// the report, here, adds up.
//
//	walk ── files ──> countAll <──Ask──> pool ──> worker process
//	  │               countAll <──Ask──>   │  ──> worker process
//	  └────────────────────┴── results ──> report
func run(ctx context.Context, sys *actor.System, o options) error {
	paths := o.paths
	if len(paths) == 0 {
		src, err := goSource(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "wordcount: counting Go's own source, %s\n", src)
		paths = []string{src}
	}
	pool, err := sys.Spawn(ctx, workers(o.workers, Config{UTF8: localeIsUTF8(), Poison: o.poison}))
	if err != nil {
		return err
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var (
		files   = make(chan string, 2*o.workers) // so that nobody waits for the walk,
		results = make(chan result, 2*o.workers) // nor for the report
		senders sync.WaitGroup                   // of results
	)
	senders.Go(func() {
		defer close(files)
		walk(ctx, paths, files, results)
	})
	for range 2 * o.workers {
		senders.Go(func() {
			if err := countAll(ctx, pool, files, results); err != nil {
				fail(err)
			}
		})
	}
	go func() {
		senders.Wait()
		close(results)
	}()

	rep := newReport(o.verbose)
	for r := range results { // until the end, so that nobody waits in vain
		rep.add(r)
	}
	rep.show("")
	if ctx.Err() != nil {
		return context.Cause(ctx) // a signal, or no worker is left
	}
	return rep.print(os.Stdout)
}

// localeIsUTF8 looks where setlocale does.
func localeIsUTF8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := os.Getenv(name); locale != "" {
			locale = strings.ToLower(locale)
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}
