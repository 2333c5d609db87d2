package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"specgraft/overlay/diag"
)

// Exit codes. When several apply, environment goes before problems before
// drift.
const (
	exitOK       = 0
	exitProblems = 1 // problems in the input, or a component failed
	exitDrift    = 2 // --check found that something would change
	exitEnv      = 3 // the environment failed us, or we failed
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
	unwatch := context.AfterFunc(ctx, func() {
		time.Sleep(grace)
		os.Stderr.WriteString("specgraft: interrupted: what was written is whole, the rest is as it was\n")
		os.Exit(exitEnv)
	})
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	unwatch() // stop ends ctx, too, and on a busy machine the exit may come later than grace
	stop()
	os.Exit(code)
}

// grace is how long a command that is interrupted may take to end in order. No
// command depends on it: what is written takes its place in one step, as a
// process can be killed at any time.
const grace = 150 * time.Millisecond

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var s screen
	g := &globals{stdin: stdin, stdout: forTerminal(stdout, &s), stderr: forTerminal(stderr, &s)}
	if !isTerminal(g.stdout) {
		g.stdout = &pipe{w: g.stdout}
	}
	root := rootCmd(g)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(g.stdout)
	root.SetErr(g.stderr)
	err := root.ExecuteContext(ctx)
	if cerr := g.close(); err == nil {
		err = cerr
	}
	code := g.exit(ctx, err)
	if lost := g.lost(); lost != nil && code != exitEnv {
		g.say("cannot print the results: %v", lost)
		code = exitEnv
	}
	return code
}

// An exitError ends the command with a code of its own after everything worth
// saying has been printed.
type exitError int

func (e exitError) Error() string {
	switch int(e) {
	case exitProblems:
		return "problems found"
	case exitDrift:
		return "something would change"
	}
	return "environment failure"
}

// exit prints err, unless its command did so already, and returns the exit
// code that goes with it.
func (g *globals) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if e, ok := errors.AsType[exitError](err); ok {
		if e == exitDrift && g.dryRun {
			return exitOK
		}
		return int(e)
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		g.say("interrupted")
		return exitEnv
	}
	if l, ok := errors.AsType[diag.ListError](err); ok {
		g.report(diag.List(l))
		return codeOf(diag.List(l))
	}
	if d, ok := errors.AsType[*diag.Diagnostic](err); ok {
		l := diag.List{*d}
		g.report(l)
		return codeOf(l)
	}
	if u, ok := errors.AsType[usageError](err); ok {
		g.say("%s", u.Error())
		return exitProblems
	}
	g.say("%v", err)
	return exitEnv
}

// codeOf returns the exit code that a list of diagnostics asks for.
func codeOf(l diag.List) int {
	code := exitOK
	for _, d := range l {
		switch {
		case d.Severity != diag.Error:
		case d.Env:
			return exitEnv
		default:
			code = exitProblems
		}
	}
	return code
}
