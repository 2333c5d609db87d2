package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// azldevOnly are the commands of azldev that are not about rendering, below the
// root or another command, with what they do there.
var azldevOnly = map[string][]string{
	"":          {"image", "package", "docs", "advanced"},
	"component": {"test", "history", "build"},
	"repo":      {"query"},
}

// AzldevOnlyCmds returns commands that say, in one line, that azldev has them. They
// take whatever azldev's take.
func AzldevOnlyCmds(g *Globals, parent string) []*cobra.Command {
	var list []*cobra.Command
	for _, name := range azldevOnly[parent] {
		list = append(list, &cobra.Command{
			Use:                name,
			Short:              "Not part of specgraft: use azldev",
			Hidden:             true,
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				if name == "history" {
					// azldev accepts it where there are no locks, and does nothing.
					if lockless, err := g.IsLockless(); err == nil && lockless {
						g.Say("a project without lock files has no history of locks; git log has that of its pins")
						return nil
					}
				}
				words := append(strings.Fields(parent), name)
				for _, arg := range args {
					if strings.HasPrefix(arg, "-") || name == "test" {
						break
					}
					words = append(words, arg)
				}
				return Usagef("%q is not part of specgraft, which renders specs; use 'azldev %s'", strings.Join(words, " "), strings.Join(words, " "))
			},
		})
	}
	return list
}
