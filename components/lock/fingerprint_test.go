package lock

import (
	"bytes"
	"context"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"specgraft/components"
	"specgraft/components/distro"
	"specgraft/overlay"
)

const lockProject = `[project]
default-distro = { name = "azl", version = "1" }

[distros.azl.versions.1]
release-ver = "4.0"

[distros.azl.versions.1.default-component-config]
spec = { type = "upstream", upstream-distro = { name = "fedora", version = "43", snapshot = "2026-02-24T00:00:00Z" } }

[distros.fedora]
default-version = "42"
dist-git-base-uri = "https://dist-git.example/$pkg.git"
lookaside-base-uri = "https://lookaside.example/$pkg/$filename/$hashtype/$hash/$filename"

[distros.fedora.versions.42]
release-ver = "42"
dist-git-branch = "f42"

[distros.fedora.versions.43]
release-ver = "43"
dist-git-branch = "f43"

`

// writeProject writes a project whose root file is lockProject and toml.
func writeProject(t *testing.T, toml string, files map[string]string) *components.Project {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("azldev.toml", lockProject+toml)
	for name, text := range files {
		write(name, text)
	}
	p, problems := components.Load(components.Options{Dir: dir})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestLocksByHand updates projects with one component "c" each and compares
// the lock file with one put together by hand.
func TestLocksByHand(t *testing.T) {
	t.Parallel()
	const (
		commit   = "0123456789abcdef0123456789abcdef01234567"
		snapshot = "2026-02-24T00:00:00Z"
		uri      = "https://dist-git.example/$pkg.git"
		sha      = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	)
	// The values that decide the commit, for a component that says nothing.
	plainResolution := sRecords("snapshot", snapshot, "distro_name", "fedora", "distro_version", "43",
		"dist_git_branch", "f43", "dist_git_base_uri", uri, "upstream_commit_pin", "", "upstream_name", "")
	tests := []struct {
		name  string
		toml  string
		files map[string]string
		bump  int // manual bump in the lock before the update

		config     uint64
		identity   string   // default: commit
		releaseVer string   // default: 43
		overlays   []string // labels and values behind the fixed records
		resolution string   // default: plainResolution; "-" for a local component
		// fingerprint is the value that an independent program in another
		// language gives for the same configuration.
		fingerprint string
	}{
		{
			name:        "nothing set",
			fingerprint: "251b402de9c641f7873b71bf37963eaf21d7e0334f32a785aecbc12b5dd9b23d",
			toml:        "[components.c]\n",
			config:      sConfig(nil, nil, nil, nil, nil, nil, nil),
		},
		{
			name:        "manual bump",
			fingerprint: "4d1dd0ff3a675801cca07e28becf166f6bb3503761d36048aed888f4635575a8",
			toml:        "[components.c]\n",
			bump:        3,
			config:      sConfig(nil, nil, nil, nil, nil, nil, nil),
		},
		{
			name:        "pin and upstream name",
			fingerprint: "7366ea44f651d4ae43f00c3c85100fae883f14adbb20b572d7993ef9ef8fc92c",
			toml:        "[components.c]\nspec = { type = \"upstream\", upstream-name = \"Cee\", upstream-commit = \"abcdef1\" }\n",
			config:      sConfig(sSpec("43", "Cee", "abcdef1"), nil, nil, nil, nil, nil, nil),
			identity:    "abcdef1",
			resolution: sRecords("snapshot", snapshot, "distro_name", "fedora", "distro_version", "43",
				"dist_git_branch", "f43", "dist_git_base_uri", uri, "upstream_commit_pin", "abcdef1", "upstream_name", "Cee"),
		},
		{
			name:        "other version of the upstream",
			fingerprint: "07e580718a6b9a8beba7819d7fc4b5f5ca4361d88817fe5b8875615fdbca9621",
			toml:        "[components.c]\nspec = { type = \"upstream\", upstream-distro = { name = \"fedora\", version = \"42\" } }\n",
			config:      sConfig(sSpec("42", "", ""), nil, nil, nil, nil, nil, nil),
			releaseVer:  "42",
			resolution: sRecords("snapshot", snapshot, "distro_name", "fedora", "distro_version", "42",
				"dist_git_branch", "f42", "dist_git_base_uri", uri, "upstream_commit_pin", "", "upstream_name", ""),
		},
		{
			name:        "build configuration",
			fingerprint: "c5dbf0260706331f642aa5478204dc075ef294de7fbde036d444a016d45432a2",
			toml: `[components.c]
[components.c.build]
with = ["docs", "x11"]
without = ["tests"]
undefines = ["gone"]
defines = { b = "2", a = "1" }
check = { skip = true, skip_reason = "not hashed either" }
hints = { expensive = true }
`,
			config: sConfig(nil, nil, nil, sStruct("ComponentBuildConfig",
				"With", sList("docs", "x11"), "Without", sList("tests"),
				"Defines", sMap("a", sText("1"), "b", sText("2")), "Undefines", sList("gone"),
				"Check", sStruct("CheckConfig", "Skip", sBool(true))), nil, nil, nil),
		},
		{
			name:        "provenance, file filter, release calculation",
			fingerprint: "0eb20d444b70f550e38538d1849e7f843d90bfff0011da324f922b1c8e33f009",
			toml: `[components.c]
release.calculation = "manual"
render.skip-file-filter = true
build.emit-upstream-provenance = true
`,
			config: sConfig(nil, sRelease("manual"), nil, sStruct("ComponentBuildConfig",
				"With", sList(), "Without", sList(), "Defines", sMap(), "Undefines", sList(),
				"EmitUpstreamProvenance", sBool(true),
				"Check", sStruct("CheckConfig", "Skip", sBool(false))), sRender(true), nil, nil),
		},
		{
			name:        "packages count by their names",
			fingerprint: "4917dbadba26778d66c33384e66fc8f5b6f2e2a099c17915793211a15c5b5c2d",
			toml:        "[components.c.packages.c-devel.publish]\nrpm-channel = \"x\"\n[components.c.packages.c-libs.publish]\nrpm-channel = \"y\"\n",
			config: sConfig(nil, nil, nil, nil, nil, nil,
				sMap("c-libs", sStruct("PackageConfig"), "c-devel", sStruct("PackageConfig"))),
		},
		{
			name:        "overlays",
			fingerprint: "f3a292ac89f73fcc708ae841142968d6f23bff40fde9d88d90d4e19049133cc6",
			toml: `[components.c]
[[components.c.overlays]]
type = "spec-search-replace"
description = "not hashed"
regex = 'a+'
replacement = "b"
section = "%prep"
[[components.c.overlays]]
type = "spec-set-tag"
package = "devel"
tag = "Summary"
value = "Ä"
[[components.c.overlays]]
type = "spec-append-lines"
section = "%files"
lines = ["one", "two\nthree"]
`,
			config: sConfig(nil, nil, sItems(
				sOverlay("spec-search-replace", "", "%prep", "", "", "", "a+", "b"),
				sOverlay("spec-set-tag", "", "", "devel", "Summary", "Ä", "", ""),
				sOverlay("spec-append-lines", "", "%files", "", "", "", "", "", "one", "two\nthree")), nil, nil, nil, nil),
		},
		{
			name:        "overlays with sources",
			fingerprint: "f77a7252d65ed9fe19110beaf017a9effba094548bfec44b7fefe36428e94dd3",
			toml: `[components.c]
[[components.c.overlays]]
type = "patch-add"
source = "p/fix.patch"
[[components.c.overlays]]
type = "spec-remove-tag"
tag = "URL"
[[components.c.overlays]]
type = "file-add"
file = "as.conf"
source = "p/other.conf"
`,
			files: map[string]string{"p/fix.patch": "a patch\n", "p/other.conf": ""},
			config: sConfig(nil, nil, sItems(
				sOverlay("patch-add", "", "", "", "", "", "", ""),
				sOverlay("spec-remove-tag", "", "", "", "URL", "", "", ""),
				sOverlay("file-add", "as.conf", "", "", "", "", "", "")), nil, nil, nil, nil),
			overlays: []string{"overlay:0", "fix.patch:" + sHex("a patch\n"), "overlay:2", "as.conf:" + sHex("")},
		},
		{
			name:        "more than ten sources sort as text",
			fingerprint: "9b213e7d9d590775216669965790df2beb0f8cc6652176b24b3fa407f0be1b9d",
			toml: "[components.c]\n" + repeat(12, func(i int) string {
				return fmt.Sprintf("[[components.c.overlays]]\ntype = \"file-add\"\nfile = \"f%d\"\nsource = \"s\"\n", i)
			}),
			files: map[string]string{"s": "same"},
			config: sConfig(nil, nil, sItems(
				sOverlay("file-add", "f0", "", "", "", "", "", ""), sOverlay("file-add", "f1", "", "", "", "", "", ""),
				sOverlay("file-add", "f2", "", "", "", "", "", ""), sOverlay("file-add", "f3", "", "", "", "", "", ""),
				sOverlay("file-add", "f4", "", "", "", "", "", ""), sOverlay("file-add", "f5", "", "", "", "", "", ""),
				sOverlay("file-add", "f6", "", "", "", "", "", ""), sOverlay("file-add", "f7", "", "", "", "", "", ""),
				sOverlay("file-add", "f8", "", "", "", "", "", ""), sOverlay("file-add", "f9", "", "", "", "", "", ""),
				sOverlay("file-add", "f10", "", "", "", "", "", ""), sOverlay("file-add", "f11", "", "", "", "", "", "")),
				nil, nil, nil, nil),
			overlays: []string{
				"overlay:0", "f0:" + sHex("same"), "overlay:1", "f1:" + sHex("same"),
				"overlay:10", "f10:" + sHex("same"), "overlay:11", "f11:" + sHex("same"),
				"overlay:2", "f2:" + sHex("same"), "overlay:3", "f3:" + sHex("same"),
				"overlay:4", "f4:" + sHex("same"), "overlay:5", "f5:" + sHex("same"),
				"overlay:6", "f6:" + sHex("same"), "overlay:7", "f7:" + sHex("same"),
				"overlay:8", "f8:" + sHex("same"), "overlay:9", "f9:" + sHex("same"),
			},
		},
		{
			name:        "overlay file behind inline overlays",
			fingerprint: "32298ec229575a5567168dc35c620fcf53254eeb32a151ad41b0d98a4bdb9713",
			toml:        "[components.c]\noverlay-files = [\"c.overlay.toml\"]\n[[components.c.overlays]]\ntype = \"spec-remove-tag\"\ntag = \"URL\"\n",
			files: map[string]string{"c.overlay.toml": `[metadata]
category = "azl-pruning"
upstream-status = "inapplicable"
[[overlays]]
type = "file-remove"
file = "*.bin"
`},
			config: sConfig(nil, nil, sItems(
				sOverlay("spec-remove-tag", "", "", "", "URL", "", "", ""),
				sOverlay("file-remove", "*.bin", "", "", "", "", "", "")), nil, nil, nil, nil),
		},
		{
			name:        "source files",
			fingerprint: "200043889cd200f63a8f2871aad0f1593ef6dfac3755342fe3475dd5e0c2426f",
			toml: `[components.c]
[[components.c.source-files]]
filename = "a.tar.gz"
hash = "` + sha + `"
hash-type = "SHA256"
origin = { type = "download", uri = "https://example.com/not-hashed" }
[[components.c.source-files]]
filename = "b.tar.gz"
hash = "` + sha + `"
hash-type = "SHA256"
replace-upstream = true
replace-reason = "not hashed"
origin = { type = "custom", script = "make.sh", mock-packages = ["tar", "gzip"], inputs = ["in.txt"] }
`,
			config: sConfig(nil, nil, nil, nil, nil, sItems(
				sStruct("SourceFileReference", "Filename", sText("a.tar.gz"), "Hash", sText(sha), "HashType", sText("SHA256"),
					"ReplaceUpstream", sBool(false)),
				sStruct("SourceFileReference", "Filename", sText("b.tar.gz"), "Hash", sText(sha), "HashType", sText("SHA256"),
					"Origin", sStruct("Origin", "Script", sText("make.sh"), "MockPackages", sList("tar", "gzip"), "Inputs", sList("in.txt")),
					"ReplaceUpstream", sBool(true))), nil),
		},
		{
			name:        "overlay inside an archive",
			fingerprint: "aaf188388beedb4ceb2a766dfafb589eef4ea563c043c5239fdb92af90c131a2",
			toml: `[components.c]
[[components.c.source-files]]
filename = "a.tar.gz"
hash = "` + sha + `"
hash-type = "SHA256"
replace-upstream = true
replace-reason = "pruned"
origin = { type = "overlay" }
[[components.c.overlays]]
type = "file-remove"
archive = "a.tar.gz"
file = "blob.bin"
`,
			config: sConfig(nil, nil, sItems(
				sStruct("ComponentOverlay", "Type", sText("file-remove"), "Filename", sText("blob.bin"), "Archive", sText("a.tar.gz"),
					"SectionName", sText(""), "PackageName", sText(""), "Tag", sText(""), "Value", sText(""), "Regex", sText(""),
					"Replacement", sText(""), "Lines", sList())), nil, nil, sItems(
				sStruct("SourceFileReference", "Filename", sText("a.tar.gz"), "Hash", sText(sha), "HashType", sText("SHA256"),
					"ReplaceUpstream", sBool(true))), nil),
		},
		{
			name:        "local",
			fingerprint: "3e90989005ba7272dda8b9c8230ce648caa5ec027bf01337824031a96af7881e",
			toml:        "[components.c]\nspec = { type = \"local\", path = \"local/c.spec\" }\n",
			files:       map[string]string{"local/c.spec": "Name: c\n", "local/sub/x": "1", "local/sub-y": "2"},
			config: sConfig(sStruct("SpecSource", "SourceType", sText("local"),
				"UpstreamDistro", sStruct("DistroReference", "Name", sText("fedora"), "Version", sText("43")),
				"UpstreamName", sText(""), "UpstreamCommit", sText("")), nil, nil, nil, nil, nil, nil),
			// All files below the directory of the spec, by path.
			identity: "sha256:" + sHex("c.spec="+sHex("Name: c\n")+"\nsub-y="+sHex("2")+"\nsub/x="+sHex("1")+"\n"),
			// The inherited upstream gives the release version also here.
			resolution: "-",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.identity == "" {
				tt.identity = commit
			}
			if tt.releaseVer == "" {
				tt.releaseVer = "43"
			}
			if tt.resolution == "" {
				tt.resolution = plainResolution
			}
			fingerprint := sRecords(append([]string{"config_hash", fmt.Sprint(tt.config), "source_identity", tt.identity,
				"manual_bump", fmt.Sprint(tt.bump), "release_ver", tt.releaseVer}, tt.overlays...)...)
			want := "# Managed by azldev component update. Do not edit manually.\nversion = 1\n"
			if tt.resolution != "-" {
				want += "import-commit = '" + tt.identity + "'\nupstream-commit = '" + tt.identity + "'\n"
			}
			if tt.bump != 0 {
				want += fmt.Sprintf("manual-bump = %d\n", tt.bump)
			}
			want += "input-fingerprint = '" + fingerprint + "'\n"
			if tt.resolution != "-" {
				want += "resolution-input-hash = '" + tt.resolution + "'\n"
			}

			files := tt.files
			if tt.bump != 0 {
				files = map[string]string{"locks/c.lock": fmt.Sprintf("version = 1\nmanual-bump = %d\n", tt.bump)}
			}
			p := writeProject(t, tt.toml, files)
			up, problems := Plan(t.Context(), p, Options{
				Names: []string{"c"},
				Resolve: func(context.Context, *components.Component, distro.Upstream) (string, error) {
					return commit, nil
				},
			})
			if err := problems.Err(); err != nil {
				t.Fatal(err)
			}
			if err := up.Write(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join(p.Dir, "locks", "c.lock"))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, string(got)); d != "" {
				t.Errorf("lock (-want +got):\n%s", d)
			}
			if fingerprint != "sha256:"+tt.fingerprint {
				t.Errorf("the fingerprint is %s, another program computed %s", fingerprint, tt.fingerprint)
			}
		})
	}
}

func repeat(n int, f func(i int) string) string {
	var b bytes.Buffer
	for i := range n {
		b.WriteString(f(i))
	}
	return b.String()
}

// TestFingerprintFields changes each field of a component in turn and says
// whether that releases it again. A new field fails the test until somebody has
// decided.
func TestFingerprintFields(t *testing.T) {
	t.Parallel()
	base := func() *components.Component {
		return &components.Component{
			Spec:        components.Spec{Type: "upstream", UpstreamDistro: distro.Ref{Name: "fedora", Version: "43"}},
			Release:     components.Release{Calculation: "auto"},
			Overlays:    []overlay.Op{{Type: "spec-set-tag"}},
			SourceFiles: []components.SourceFile{{Filename: "f"}},
		}
	}
	one := 1
	const counts, silent = true, false
	fields := map[string]struct {
		change func(c *components.Component)
		counts bool
	}{
		"Component.Name":     {func(c *components.Component) { c.Name = "x" }, silent},
		"Component.Pos":      {func(c *components.Component) { c.Pos.Line = 9 }, silent},
		"Component.Dir":      {func(c *components.Component) { c.Dir = "/x" }, silent},
		"Component.File":     {func(c *components.Component) { c.File = "/x/y" }, silent},
		"Component.Groups":   {func(c *components.Component) { c.Groups = []string{"g"} }, silent},
		"Component.Packages": {func(c *components.Component) { c.Packages = map[string]components.Package{"p": {}} }, counts},
		"Component.Publish":  {func(c *components.Component) { c.Publish.RPMChannel = "x" }, silent},

		"Spec.Type":           {func(c *components.Component) { c.Spec.Type = "local" }, counts},
		"Spec.Path":           {func(c *components.Component) { c.Spec.Path = "/x" }, silent},
		"Spec.UpstreamName":   {func(c *components.Component) { c.Spec.UpstreamName = "x" }, counts},
		"Spec.UpstreamCommit": {func(c *components.Component) { c.Spec.UpstreamCommit = "1234567" }, counts},
		"Spec.Source":         {func(c *components.Component) { c.Spec.Source = "srpm" }, counts},
		"Spec.Source default": {func(c *components.Component) { c.Spec.Source = "dist-git" }, silent},
		"Spec.SRPM":           {func(c *components.Component) { c.Spec.SRPM = "/x" }, silent}, // its checksum is the source identity
		"Spec.Template":       {func(c *components.Component) { c.Spec.Template = "go" }, counts},
		"Ref.Name":            {func(c *components.Component) { c.Spec.UpstreamDistro.Name = "x" }, counts},
		"Ref.Version":         {func(c *components.Component) { c.Spec.UpstreamDistro.Version = "x" }, counts},
		"Ref.Snapshot":        {func(c *components.Component) { c.Spec.UpstreamDistro.Snapshot = "x" }, silent},

		"Release.Suffix":         {func(c *components.Component) { c.Release.Suffix = ".x.1" }, counts},
		"Release.SuffixUntil":    {func(c *components.Component) { c.Release.SuffixUntil = "1-1" }, counts},
		"Release.ChangelogEntry": {func(c *components.Component) { c.Release.ChangelogEntry = true }, counts},
		"Release.Calculation":    {func(c *components.Component) { c.Release.Calculation = "manual" }, counts},

		"Build.With":                   {func(c *components.Component) { c.Build.With = []string{"x"} }, counts},
		"Build.Without":                {func(c *components.Component) { c.Build.Without = []string{"x"} }, counts},
		"Build.Defines":                {func(c *components.Component) { c.Build.Defines = map[string]string{"x": ""} }, counts},
		"Build.Undefines":              {func(c *components.Component) { c.Build.Undefines = []string{"x"} }, counts},
		"Build.EmitUpstreamProvenance": {func(c *components.Component) { c.Build.EmitUpstreamProvenance = true }, counts},
		"Build.Failure":                {func(c *components.Component) { c.Build.Failure.Expected = true }, silent},
		"Build.Hints":                  {func(c *components.Component) { c.Build.Hints.Expensive = true }, silent},
		"Build.Check.Skip":             {func(c *components.Component) { c.Build.Check.Skip = true }, counts},
		"Build.Check.SkipReason":       {func(c *components.Component) { c.Build.Check.SkipReason = "x" }, silent},
		"Render.SkipFileFilter":        {func(c *components.Component) { c.Render.SkipFileFilter = true }, counts},
		"Render.AllowRejected":         {func(c *components.Component) { c.Render.AllowRejected = true }, silent},
		"Render.AllowRejectedReason":   {func(c *components.Component) { c.Render.AllowRejectedReason = "x" }, silent},

		"SourceFile.Pos":             {func(c *components.Component) { c.SourceFiles[0].Pos.Line = 9 }, silent},
		"SourceFile.Filename":        {func(c *components.Component) { c.SourceFiles[0].Filename = "x" }, counts},
		"SourceFile.Hash":            {func(c *components.Component) { c.SourceFiles[0].Hash = "x" }, counts},
		"SourceFile.HashType":        {func(c *components.Component) { c.SourceFiles[0].HashType = "x" }, counts},
		"SourceFile.ReplaceUpstream": {func(c *components.Component) { c.SourceFiles[0].ReplaceUpstream = true }, counts},
		"SourceFile.ReplaceReason":   {func(c *components.Component) { c.SourceFiles[0].ReplaceReason = "x" }, silent},
		"SourceOrigin.Type":          {func(c *components.Component) { c.SourceFiles[0].Origin.Type = "x" }, silent},
		"SourceOrigin.URI":           {func(c *components.Component) { c.SourceFiles[0].Origin.URI = "x" }, silent},
		"SourceOrigin.Script":        {func(c *components.Component) { c.SourceFiles[0].Origin.Script = "x" }, counts},
		"SourceOrigin.MockPackages":  {func(c *components.Component) { c.SourceFiles[0].Origin.MockPackages = []string{"x"} }, counts},
		"SourceOrigin.Inputs":        {func(c *components.Component) { c.SourceFiles[0].Origin.Inputs = []string{"x"} }, counts},

		"Op.Type":              {func(c *components.Component) { c.Overlays[0].Type = "x" }, counts},
		"Op.Description":       {func(c *components.Component) { c.Overlays[0].Description = "x" }, silent},
		"Op.File":              {func(c *components.Component) { c.Overlays[0].File = "x" }, counts},
		"Op.Archive":           {func(c *components.Component) { c.Overlays[0].Archive = "x" }, counts},
		"Op.Section":           {func(c *components.Component) { c.Overlays[0].Section = "x" }, counts},
		"Op.Package":           {func(c *components.Component) { c.Overlays[0].Package = "x" }, counts},
		"Op.Tag":               {func(c *components.Component) { c.Overlays[0].Tag = "x" }, counts},
		"Op.Value":             {func(c *components.Component) { c.Overlays[0].Value = "x" }, counts},
		"Op.Regex":             {func(c *components.Component) { c.Overlays[0].Regex = "x" }, counts},
		"Op.Replacement":       {func(c *components.Component) { c.Overlays[0].Replacement = "x" }, counts},
		"Op.Lines":             {func(c *components.Component) { c.Overlays[0].Lines = []string{""} }, counts},
		"Op.Source":            {func(c *components.Component) { c.Overlays[0].Source = "/x" }, silent}, // its content is a record of its own
		"Op.Metadata":          {func(c *components.Component) { c.Overlays[0].Metadata = &overlay.Metadata{} }, silent},
		"Op.Expect":            {func(c *components.Component) { c.Overlays[0].Expect = &one }, silent}, // a check, without effect on the result
		"Op.Branch":            {func(c *components.Component) { c.Overlays[0].Branch = "first" }, counts},
		"Op.Branch default":    {func(c *components.Component) { c.Overlays[0].Branch = "all" }, silent},
		"Op.ReplacementGroups": {func(c *components.Component) { c.Overlays[0].ReplacementGroups = true }, counts},
		"Op.Multiline":         {func(c *components.Component) { c.Overlays[0].Multiline = true }, counts},
		"Op.Mode":              {func(c *components.Component) { c.Overlays[0].Mode = "0755" }, counts},
		"Op.Mode default":      {func(c *components.Component) { c.Overlays[0].Mode = "0644" }, silent},
		"Op.Pos":               {func(c *components.Component) { c.Overlays[0].Pos.Line = 9 }, silent},
		"Op.KeyPos":            {func(c *components.Component) { c.Overlays[0].KeyPos = map[string]token.Position{"x": {}} }, silent},
		"Op.Layer":             {func(c *components.Component) { c.Overlays[0].Layer = "x" }, silent},
		"Op.Data":              {func(c *components.Component) { c.Overlays[0].Data = []byte("x") }, silent},
		"Op.Step":              {func(c *components.Component) { c.Overlays[0].Step = "x" }, silent},
	}
	want := configTree(base()).hash()
	for name, f := range fields {
		c := base()
		f.change(c)
		if got := configTree(c).hash() != want; got != f.counts {
			t.Errorf("%s: changes the hash: %v, want %v", name, got, f.counts)
		}
	}
	// What has fields of its own is covered by these, Template by another test.
	nested := map[string]bool{
		"Component.Spec": true, "Component.Release": true, "Component.Overlays": true, "Component.Build": true, "Component.Render": true,
		"Component.SourceFiles": true, "Component.Template": true, "Spec.UpstreamDistro": true, "Build.Check": true, "SourceFile.Origin": true,
	}
	for _, v := range []any{components.Component{}, components.Spec{}, distro.Ref{}, components.Release{}, components.Build{}, components.Build{}.Check, components.Render{}, components.SourceFile{}, components.SourceOrigin{}, overlay.Op{}} {
		typ := reflect.TypeOf(v)
		of := typ.Name()
		if of == "" {
			of = "Build.Check"
		}
		for i := range typ.NumField() {
			name := of + "." + typ.Field(i).Name
			if _, known := fields[name]; typ.Field(i).IsExported() && !known && !nested[name] {
				t.Errorf("%s is new: does it change what is built?", name)
			}
		}
	}
}

// TestFingerprintTemplate checks that everything a template works from counts.
func TestFingerprintTemplate(t *testing.T) {
	t.Parallel()
	const text = "[project.specgraft]\ntemplates-dir = \"templates\"\n[components.c]\nspec = { type = \"template\", template = \"mine\" }\n[components.c.template]\nversion = \"%s\"\npatches = [\"a.patch\"]\n"
	fingerprint := func(version, patch, template, other string) string {
		p := writeProject(t, fmt.Sprintf(text, version), map[string]string{
			"a.patch": patch, "templates/mine.spec.tmpl": template, "unrelated": other,
		})
		c, problems := p.Component("c")
		if err := problems.Err(); err != nil {
			t.Fatal(err)
		}
		f, err := Fingerprint(p, c, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	base := fingerprint("1", "p", "t", "o")
	for _, tt := range []struct {
		name   string
		got    string
		counts bool
	}{
		{"the same", fingerprint("1", "p", "t", "o"), false},
		{"a value of the table", fingerprint("2", "p", "t", "o"), true},
		{"a file that it names", fingerprint("1", "q", "t", "o"), true},
		{"the template", fingerprint("1", "p", "u", "o"), true},
		{"another file beside it", fingerprint("1", "p", "t", "x"), false},
	} {
		if (tt.got != base) != tt.counts {
			t.Errorf("%s: changes the fingerprint: %v, want %v", tt.name, tt.got != base, tt.counts)
		}
	}
}
