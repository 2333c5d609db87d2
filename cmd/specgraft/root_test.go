package main

import (
	"io"
	"strings"
	"testing"

	"specgraft/cmd/specgraft/cli"
)

// TestCommandNames compares the names in commandGroups with those that the
// constructors give, by which a command is found.
func TestCommandNames(t *testing.T) {
	t.Parallel()
	g := cli.NewGlobals(strings.NewReader(""), io.Discard, io.Discard)
	for _, group := range commandGroups {
		for _, c := range group.Commands {
			if cmd := c.New(g); cmd.Name() != c.Name {
				t.Errorf("the command of %q is called %q", c.Name, cmd.Name())
			}
		}
	}
}

// TestNamed checks that a command line gets the one command it is for, and all
// of them when that is in doubt: a flag's value is no command.
func TestNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{"render bash", "render"},
		{"-C render version", "version"},
		{"-Crender version", "version"},
		{"--project render --offline list", "list"},
		{"--json=true query render", "query"},
		{"-nqv render -a", "render"},
		{"overlay add x", "overlay"},
		{"", ""},
		{"--help", ""},
		{"help render", ""},
		{"component render", ""},
		{"image list", ""},
		{"rendr", ""},
		{"__complete render -", ""},
		{"completion bash", ""},
	} {
		g := cli.NewGlobals(strings.NewReader(""), io.Discard, io.Discard)
		args := strings.Fields(tt.args)
		if got := named(newRoot(g), args); got != tt.want {
			t.Errorf("%q is for %q, want %q", tt.args, got, tt.want)
		}
		var have []string
		for _, c := range rootCmd(g, args).Commands() {
			have = append(have, c.Name())
		}
		if one := len(have) == 1 && have[0] == tt.want; one != (tt.want != "") {
			t.Errorf("%q has the commands %q", tt.args, have)
		}
	}
}
