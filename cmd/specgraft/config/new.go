package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"specgraft/cmd/specgraft/cli"
	"specgraft/components"
	"specgraft/components/edit"
	"specgraft/render"
	"specgraft/render/template"
)

// NewCmd scaffolds a component whose spec is written from a template.
func NewCmd(g *cli.Globals) *cobra.Command {
	var name, file string
	values := map[string]*string{}
	cmd := &cobra.Command{
		Use:   "new NAME --template TEMPLATE",
		Short: "Start a component whose spec is written from TOML",
		Long: `Write a component that needs no packaging upstream: a TOML file from which a
template makes its spec. It goes to components/NAME/NAME.comp.toml, next to the
files that it carries, and renders at once; edit it from there. Files that exist
are never overwritten.`,
		Example: `  specgraft new tidepool --template autotools --url https://tidepool.example/
  specgraft new motd --template config --summary "Message of the day"`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := g.Load()
			if err != nil {
				return err
			}
			if problem := p.CheckName(args[0]); problem != "" {
				return cli.AsUsage(errors.New(problem))
			}
			set, problems := render.Templates(p, nil)
			if err := problems.Err(); err != nil {
				return err
			}
			if name == "" {
				return cli.Usagef("choose a template with --template: %s", strings.Join(set.Names(), ", "))
			}
			t, problem := set.Template(name)
			if problem != nil {
				return problem
			}
			path := filepath.Join(p.Dir, "components", args[0], args[0]+".comp.toml")
			if file != "" {
				if path, err = filepath.Abs(file); err != nil {
					return err
				}
			}
			kind := name
			for infos, _, problem := set.Source(name); problem == nil && scaffoldKeys[kind] == "" && len(infos) > 1; infos = infos[1:] {
				kind = infos[1].Name // one of the project's own: begin like the one it extends
			}
			text, extra := scaffold(args[0], name, kind)
			e, problems := edit.Edit(p.Display(path), []byte(text))
			if err := problems.Err(); err != nil {
				return err
			}
			for _, key := range []string{"summary", "version", "license", "url"} {
				if v := *values[key]; v != "" {
					if err := e.Set([]string{"components", args[0], "template", key}, v); err != nil {
						return err
					}
				}
			}
			written, err := writeNew(path, e.Bytes(), extra)
			if err != nil {
				return err
			}
			// What was written must load and render.
			after, problems := components.Load(g.LoadOptions())
			if !problems.HasErrors() && slices.Contains(after.Files(), path) {
				var c *components.Component
				if c, problems = after.Component(args[0]); !problems.HasErrors() {
					_, problems = t.Execute(template.New(c))
				}
			}
			if err := problems.Err(); err != nil {
				for _, w := range slices.Backward(written) {
					err = errors.Join(err, os.Remove(w))
				}
				return err
			}
			g.Note("wrote %s; 'specgraft render %s' renders it", p.Display(path), args[0])
			if !slices.Contains(after.Files(), path) {
				g.Say("warning: %s is not included by any file of the project; add it to includes", p.Display(path))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "template", "", "write the spec from `TEMPLATE`; 'specgraft template list' prints them")
	f.StringVar(&file, "file", "", "write to `FILE`")
	values["summary"] = f.String("summary", "", "summary of the package")
	values["version"] = f.String("version", "", "version of the package")
	values["license"] = f.String("license", "", "license as an SPDX `EXPRESSION`")
	values["url"] = f.String("url", "", "home page")
	_ = cmd.RegisterFlagCompletionFunc("template", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		set, err := templates(g)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return set.Names(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// writeNew writes files that must not exist yet, all or none.
func writeNew(path string, data []byte, extra map[string]string) (written []string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	create := func(path string, data []byte) error {
		err := cli.CreateFile(path, data)
		if err == nil {
			written = append(written, path)
		}
		return err
	}
	err = create(path, data)
	for name, text := range extra {
		if err == nil {
			err = create(filepath.Join(filepath.Dir(path), name), []byte(text))
		}
	}
	if err != nil {
		for _, w := range written {
			err = errors.Join(err, os.Remove(w))
		}
		return nil, err
	}
	return written, nil
}

// scaffoldKeys are what each built-in template begins with, beside the keys that
// all have. @ stands for the name of the component, @@ for it without the prefix
// python-, @_@ for that as a Python module.
var scaffoldKeys = map[string]string{
	"meta":      "arch = \"noarch\"\nrequires = []\n",
	"config":    "arch = \"noarch\"\nconfig-files = [\n    { source = \"@.conf\", path = \"%{_sysconfdir}/@.conf\" },\n]\n",
	"release":   "arch = \"noarch\"\n\n[components.@.template.os-release]\nNAME = \"@\"\nID = \"@\"\nVERSION_ID = \"1\"\nPRETTY_NAME = \"@ 1\"\n",
	"autotools": "url = \"https://example.com/@/\"\nsources = [{ url = \"%{url}@-%{version}.tar.gz\" }]\nlicenses = [\"COPYING\"]\nfiles = [\"%{_bindir}/@\"]\n\n[components.@.template.bconds]\ntests = true\n",
	"cmake":     "url = \"https://example.com/@/\"\nsources = [{ url = \"%{url}@-%{version}.tar.gz\" }]\nlicenses = [\"LICENSE\"]\nfiles = [\"%{_bindir}/@\"]\n\n[components.@.template.bconds]\ntests = true\n",
	"meson":     "url = \"https://example.com/@/\"\nsources = [{ url = \"%{url}@-%{version}.tar.xz\" }]\nlicenses = [\"LICENSE\"]\nfiles = [\"%{_bindir}/@\"]\n\n[components.@.template.bconds]\ntests = true\n",
	"python":    "url = \"https://example.com/@/\"\narch = \"noarch\"\npypi-name = \"@@\"\nmodules = [\"@_@\"]\nsources = [{ url = \"%{pypi_source @@}\" }]\n\n[components.@.template.bconds]\ntests = true\n",
	"go":        "import-path = \"github.com/OWNER/@\"\nsources = [{ url = \"%{gosource}\" }]\nlicenses = [\"LICENSE\"]\nfiles = [\"%{_bindir}/@\"]\n\n[components.@.template.bconds]\ntests = true\n",
	"rust":      "url = \"https://crates.io/crates/@\"\nsources = [{ url = \"%{crates_source}\" }]\nlicenses = [\"LICENSE\"]\nfiles = [\"%{_bindir}/@\"]\n\n[components.@.template.bconds]\ntests = true\n",
	"font":      "url = \"https://example.com/@/\"\nfamily = \"@\"\nsources = [{ url = \"%{url}@-%{version}.zip\" }]\nlicenses = [\"OFL.txt\"]\n",
	"kmod":      "url = \"https://example.com/@/\"\nkernel-version = \"6.17.1-300.fc43\"\nexclusive-arch = [\"x86_64\", \"aarch64\"]\nsources = [{ url = \"%{url}@-%{version}.tar.gz\" }]\nlicenses = [\"COPYING\"]\n",
}

// scaffold returns the text of a new component and the files that stand next to
// it.
func scaffold(name, from, kind string) (string, map[string]string) {
	key := name
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		key = "'" + name + "'"
	}
	license := "MIT"
	if kind == "font" {
		license = "OFL-1.1"
	}
	text := `# 'specgraft template show @TEMPLATE@' prints the template; keys not named here
# are in the schema ('specgraft config schema').
[components.@KEY@]
spec = { type = "template", template = "@TEMPLATE@" }

[components.@KEY@.template]
version = "0.1"
release = "1"
summary = "@NAME@"
license = "@LICENSE@"
`
	body := strings.ReplaceAll(scaffoldKeys[kind], "components.@.", "components."+key+".")
	body = strings.ReplaceAll(body, "@_@", strings.ReplaceAll(strings.TrimPrefix(name, "python-"), "-", "_"))
	body = strings.ReplaceAll(body, "@@", strings.TrimPrefix(name, "python-"))
	body = strings.ReplaceAll(body, "@", name)
	text = strings.NewReplacer("@TEMPLATE@", from, "@KEY@", key, "@NAME@", name, "@LICENSE@", license).Replace(text) + body
	if kind == "config" {
		return text, map[string]string{name + ".conf": "# Configuration of " + name + ".\n"}
	}
	return text, nil
}
