package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

var (
	errLink  = errors.New("symbolic link inside of a folder")
	errEmpty = errors.New("no files in it")
)

// walk sends the files that paths name to files, and what else it comes across to
// results, until ctx is done.
func walk(ctx context.Context, paths []string, files chan<- string, results chan<- result) {
	for _, path := range paths {
		if ctx.Err() != nil {
			return
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			results <- result{path: path, err: bare(err)}
		case info.IsDir():
			walkFolder(ctx, path, files, results)
		default:
			visit(ctx, path, info.Mode(), files, results)
		}
	}
}

func walkFolder(ctx context.Context, folder string, files chan<- string, results chan<- result) {
	empty := true
	root := folder + string(filepath.Separator) // so that it is followed if it is a link
	filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			empty = false
			results <- result{path: path, err: bare(err)} // and go on beside it
		case !entry.IsDir():
			empty = false
			visit(ctx, path, entry.Type(), files, results)
		}
		return nil
	})
	if empty && ctx.Err() == nil {
		results <- result{path: folder, err: errEmpty}
	}
}

// visit takes only regular files: to open another, like a named pipe, may block
// for ever.
func visit(ctx context.Context, path string, mode fs.FileMode, files chan<- string, results chan<- result) {
	switch mode.Type() {
	case 0:
		select {
		case files <- path:
		case <-ctx.Done():
		}
	case fs.ModeSymlink:
		results <- result{path: path, err: errLink}
	default:
		results <- result{path: path, err: fmt.Errorf("not a regular file: %s", kindOf(mode))}
	}
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return mode.Type().String()
}

// bare returns err without the operation and the path that package os puts
// before it.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// goSource returns the folder of Go's own source.
func goSource(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	root := strings.TrimSpace(string(out))
	if err != nil {
		//lint:ignore SA1019 it is right where go is not to be found but the program was built here
		root = runtime.GOROOT()
	}
	if root == "" {
		return "", errors.New("no PATH is given, and Go's source tree is not found: is go installed?")
	}
	src := filepath.Join(root, "src")
	if _, err := os.Stat(src); err != nil {
		return "", fmt.Errorf("no PATH is given, and Go's source tree is not there: %w", err)
	}
	return src, nil
}
