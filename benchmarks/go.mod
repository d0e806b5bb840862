module github.com/progeny-go/progeny/benchmarks

go 1.26.0

require github.com/progeny-go/progeny v0.0.0

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace github.com/progeny-go/progeny => ../
