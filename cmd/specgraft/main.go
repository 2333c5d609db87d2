package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"specgraft/cmd/specgraft/cli"
)

func main() {
	if os.Getenv("GOGC") == "" {
		// A run is short and what it holds is small: collect less often, as
		// long as the memory stays well below what a build host spares.
		debug.SetGCPercent(400)
		debug.SetMemoryLimit(512 << 20)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// Without this, a reader of stdout that goes away would end the process in
	// the middle of its work. Programs that we start are not affected.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	g := cli.NewGlobals(os.Stdin, os.Stdout, os.Stderr)
	unwatch := context.AfterFunc(ctx, func() {
		time.Sleep(grace)
		g.Abandon()
		os.Stderr.WriteString("specgraft: interrupted: what was written is whole, the rest is as it was\n")
		os.Exit(cli.ExitEnv)
	})
	code := g.Run(ctx, rootCmd(g, os.Args[1:]), os.Args[1:])
	unwatch() // stop ends ctx, too, and on a busy machine the exit may come later than grace
	stop()
	os.Exit(code)
}

// grace is how long a command that is interrupted may take to end in order. No
// command depends on it: what is written takes its place in one step, as a
// process can be killed at any time.
const grace = 50 * time.Millisecond
