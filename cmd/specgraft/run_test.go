package main

import (
	"context"
	"io"

	"specgraft/cmd/specgraft/cli"
)

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	g := cli.NewGlobals(stdin, stdout, stderr)
	return g.Run(ctx, rootCmd(g, args), args)
}
