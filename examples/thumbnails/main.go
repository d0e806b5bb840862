// Command thumbnails makes thumbnails of images that nobody vouches for.
//
//	thumbnails [-out DIR] [-workers N] [FOLDER]
//
// Every regular file right in FOLDER is taken for an image: PNG, JPEG and GIF are
// known. Without FOLDER the program makes a set of its own in a temporary folder:
// pictures, pictures that were cut off, that lie about their size or are damaged,
// files that are no images, and bombs, a few kilobytes that unfold to gigabytes or
// keep a processor busy for long.
//
// In DIR, or a new temporary folder, it leaves
//
//	thumbnails/NAME.png  of each file that has one, at most 160 pixels wide and high
//	contact-sheet.png    all of them, a red cross for what failed; the numbers are those of the report
//
// and on standard output a report of what became of each file. On a terminal,
// standard error shows the progress. The exit status is 0 if the program did its work,
// whatever the files were.
//
// # How it is safe
//
// This program does not look into a file. The decoders are Go's own and check
// nothing: they believe the size in the header and unpack what is packed. So each
// image is decoded in an actor, a process of a pool, that has no more than its bytes
// and its limits (see limits.go), and answers with the pixels of the thumbnail. An
// image that is too much for it ends that actor. The pool starts another, and the
// images that waited go on there.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/progeny-go/progeny/actor"
)

type options struct {
	out     string // "": a new temporary folder
	workers int
	folder  string // "": the set the program makes
}

func main() {
	actor.Boot() // a worker's process goes no further
	o := parse(os.Args[1:])
	// What a worker prints while it dies would end up in the midst of the
	// report. Its Down says the same in one line.
	quiet := actor.Options{Logger: slog.New(slog.DiscardHandler)}
	actor.MainWith(quiet, func(ctx context.Context, sys *actor.System) error {
		return run(ctx, sys, o)
	})
}

// parse exits with status 2 if the arguments are wrong.
func parse(args []string) (o options) {
	flags := flag.NewFlagSet("thumbnails", flag.ExitOnError)
	flags.StringVar(&o.out, "out", "", "write to `DIR`; a new temporary folder if it is not given")
	flags.IntVar(&o.workers, "workers", min(runtime.GOMAXPROCS(0), actor.MaxPoolSize), "decode with `N` processes")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: thumbnails [-out DIR] [-workers N] [FOLDER]")
		flags.PrintDefaults()
	}
	flags.Parse(args)
	o.folder = flags.Arg(0)

	var wrong string
	switch {
	case o.workers < 1 || o.workers > actor.MaxPoolSize:
		wrong = fmt.Sprintf("-workers %d: 1 to %d are possible", o.workers, actor.MaxPoolSize)
	case flags.NArg() > 1:
		wrong = fmt.Sprintf("%d folders: one is possible", flags.NArg())
	}
	if wrong != "" {
		fmt.Fprintf(flags.Output(), "thumbnails: %s\n", wrong)
		flags.Usage()
		os.Exit(2)
	}
	return o
}

func run(ctx context.Context, sys *actor.System, o options) error {
	if o.folder == "" {
		folder, err := os.MkdirTemp("", "thumbnails-samples-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		if err := writeSamples(ctx, folder, samples()); err != nil {
			return err
		}
		o.folder = folder
	}
	files, err := list(o.folder)
	if err != nil {
		return err
	}
	out, err := newOutput(o.out, len(files))
	if err != nil {
		return err
	}
	pool, err := sys.Spawn(ctx, workers(o.workers))
	if err != nil {
		return err
	}
	bar := newProgress(os.Stderr, len(files))
	entries, err := decodeAll(ctx, pool, 2*o.workers, files, func(e entry) error {
		bar.step(e.file.name)
		return out.add(e)
	})
	bar.clear()
	if err != nil {
		return err
	}
	sheet, err := out.finish()
	if err != nil {
		return err
	}
	return report(os.Stdout, entries, out.dir, sheet)
}

// decodeAll has the files decoded, n at a time: two for each worker, so that none
// waits for its next one. Every result is given to done at once, one after the other,
// and then forgets its pixels. The entries returned are in the order of the files.
//
//	files ──> askers <──Ask──> pool ──> worker process
//	            │                │  ──> worker process
//	            └── results ──> done
func decodeAll(ctx context.Context, pool actor.Ref, n int, files []file, done func(entry) error) ([]entry, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var (
		todo    = make(chan int)
		results = make(chan entry)
		askers  sync.WaitGroup
	)
	askers.Go(func() {
		defer close(todo)
		for i := range files {
			select {
			case todo <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	for range n {
		askers.Go(func() {
			for i := range todo {
				e, err := decode(ctx, pool, files[i])
				if err != nil {
					fail(err) // a signal, or no worker is left
					return
				}
				e.index = i
				results <- e
			}
		})
	}
	go func() {
		askers.Wait()
		close(results)
	}()
	entries := make([]entry, len(files))
	for e := range results { // until the end, so that nobody waits in vain
		if err := done(e); err != nil {
			e.err = fmt.Errorf("its thumbnail is not written: %w", bare(err))
		}
		e.thumb = nil // it is written, and memory does not grow with the files
		entries[e.index] = e
	}
	return entries, context.Cause(ctx)
}

// list returns the regular files right in folder, by name. Others could block whoever
// opens them.
func list(folder string) (files []file, err error) {
	found, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if f.Type().IsRegular() {
			files = append(files, file{name: f.Name(), path: filepath.Join(folder, f.Name())})
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no files in it", folder)
	}
	return files, nil
}
