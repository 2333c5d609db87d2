package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// onTerminal is the script command "terminal [-in KEYS] FILE COMMAND [ARG...]":
// it runs a command whose output is a terminal, and keeps what the terminal got
// in FILE. With -in its input is the terminal, too, where somebody types KEYS and
// leaves; \n in them is the return key. Negated, the command has to fail.
func onTerminal(ts *testscript.TestScript, neg bool, args []string) {
	keys, typed := "", len(args) > 2 && args[0] == "-in"
	if typed {
		keys, args = strings.ReplaceAll(args[1], `\n`, "\n"), args[2:]
	}
	if len(args) < 2 {
		ts.Fatalf("usage: terminal [-in KEYS] FILE COMMAND [ARG...]")
	}
	terminal, screen, err := openPTY()
	if err != nil {
		ts.Fatalf("no terminal to be had: %v", err)
	}
	defer terminal.Close()
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	cmd := &exec.Cmd{Path: path, Args: args[1:], Dir: ts.MkAbs("."), Stdout: screen, Stderr: screen}
	for _, k := range []string{"PATH", "HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL"} {
		cmd.Env = append(cmd.Env, k+"="+ts.Getenv(k))
	}
	cmd.Env = append(cmd.Env, "TERM=xterm", "NO_COLOR=1")
	if typed {
		cmd.Stdin = screen
		_, err := io.WriteString(terminal, keys+"\x04") // as a terminal waits with what was typed ahead
		ts.Check(err)
	}
	ts.Check(cmd.Start())
	screen.Close()
	shown := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(terminal) // ends with EIO when the last writer is gone
		shown <- all
	}()
	err = cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), <-shown, 0o666))
	if neg {
		if err == nil {
			ts.Fatalf("unexpected command success")
		}
		return
	}
	ts.Check(err)
}

// openPTY returns the two ends of a new pseudo-terminal.
func openPTY() (terminal, screen *os.File, err error) {
	terminal, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(terminal.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		terminal.Close()
		return nil, nil, err
	}
	return terminal, screen, nil
}
