package cli

import (
	"strings"

	"github.com/spf13/pflag"
)

// ListVar defines the flag --name VALUE, with -short too when that is not empty,
// that may be given several times: each value is added to list as it is. What
// list holds at the call is the default, which the first value replaces.
//
// pflag's own flag for this prepares a CSV writer for each flag at each start of
// the program, which was an eighth of the time of a short command.
func ListVar(f *pflag.FlagSet, list *[]string, name, short, usage string) {
	f.VarP(&listValue{list: list}, name, short, usage)
}

type listValue struct {
	list  *[]string
	given bool
}

func (v *listValue) Set(s string) error {
	if !v.given {
		*v.list, v.given = nil, true
	}
	*v.list = append(*v.list, s)
	return nil
}

// Append, Replace and GetSlice make a pflag.SliceValue of it.
func (v *listValue) Append(s string) error    { return v.Set(s) }
func (v *listValue) Replace(l []string) error { *v.list, v.given = l, true; return nil }
func (v *listValue) GetSlice() []string       { return *v.list }

// Type is the one of pflag's own flag: help and completion know it.
func (v *listValue) Type() string { return "stringArray" }

func (v *listValue) String() string {
	if len(*v.list) == 0 {
		return ""
	}
	return "[" + strings.Join(*v.list, ",") + "]"
}
