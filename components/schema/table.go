package schema

import "specgraft/overlay"

// RootKey is the table of all keys of a configuration file.
var RootKey = Key{Type: Table, Help: "A configuration file of the project format.", Keys: []Key{
	{Name: "$schema", Type: String, Help: "Address of a JSON schema for editors; ignored."},
	{Name: "includes", Type: List, Merge: MergeAppend, Elem: &Key{Type: String, Filled: true},
		Help: "Files to read after this one, as paths or glob patterns (*, ?, [..], {a,b}, **) relative to this file's directory. What they set wins over what this file sets."},
	{Name: "project", Type: Table, Keys: ProjectKeys, Help: "The project itself: its directories and its default distribution."},
	{Name: "distros", Type: Map, What: "distro", Elem: &distroKey, Help: "Distributions: the one that is built and those that packaging is taken from."},
	{Name: "resources", Type: Table, Keys: resourceKeys, Help: "RPM repositories that versions of distributions take as inputs. No influence on rendering."},
	{Name: "component-groups", Type: Map, What: "component group", Elem: &groupKey, Help: "Groups of components that share defaults or are discovered by spec files."},
	{Name: "components", Type: Map, What: "component", NameRule: FileNameFormat, Elem: &OwnComponentKey, Help: "The components of the distribution, by name. An empty table takes everything from the defaults."},
	{Name: "images", Type: Map, What: "image", Elem: &imageKey, Help: "Images built from the packages. No influence on rendering."},
	{Name: "tools", Type: Table, Help: "Tools of the build. No influence on rendering.", Keys: []Key{
		{Name: "imageCustomizer", Type: Table, Help: "The image customizer.", Keys: []Key{
			{Name: "containerTag", Type: String, Help: "Container image of the tool."},
		}},
	}},
	{Name: "default-component-config", Type: Table, Keys: componentKeys, Help: "Defaults for all components of the project; the rules of a component apply."},
	{Name: "default-package-config", Type: Table, Keys: packageKeys, Help: "Defaults for all binary packages. No influence on rendering."},
	{Name: "package-groups", Type: Map, What: "package group", Elem: &packageGroupKey, Help: "Groups of binary packages that share a configuration. No influence on rendering."},
	{Name: "tests", Type: Map, Since: "0.4", What: "test", NameRule: plainNameFormat, Elem: &testKey, Help: "Tests of images and components. No influence on rendering."},
	{Name: "test-groups", Type: Map, Since: "0.4", What: "test group", NameRule: plainNameFormat, Elem: &testGroupKey, Help: "Tests that are referred to together. No influence on rendering."},
	{Name: "sku-groups", Type: Map, Since: "later", What: "SKU group", Elem: &skuGroupKey, Help: "Sizes of virtual machines that tests run on. No influence on rendering."},
	{Name: "vm-skus", Type: Map, Since: "later", What: "VM SKU", Elem: &vmSKUKey, Help: "Sizes of virtual machines. No influence on rendering."},
	{Name: "test-suites", Type: Map, Until: "1.0", What: "test suite", NameRule: FileNameFormat, Elem: &testSuiteKey, Help: "Test suites for images. No influence on rendering."},
}}

var ProjectKeys = []Key{
	{Name: "description", Type: String, Help: "What the project is, for people."},
	{Name: "log-dir", Type: String, Path: true, Default: "build/logs", Help: "Directory of log files."},
	{Name: "work-dir", Type: String, Path: true, Default: "build/work", Help: "Directory of temporary files."},
	{Name: "output-dir", Type: String, Path: true, Default: "out", Help: "Directory of build results."},
	{Name: "rendered-specs-dir", Type: String, Path: true, Default: "specs", Help: "Directory of the rendered tree."},
	{Name: "lock-dir", Type: String, Path: true, Default: "locks", Help: "Directory of the lock files."},
	{Name: "default-distro", Type: Table, Keys: distroRefKeys, Help: "The distribution that is built; its version's default-component-config is the first layer of every component."},
	{Name: "default-author-email", Type: String, Help: "Read for compatibility; not used."},
	{Name: "specgraft", Type: Table, Ext: true, Keys: settingKeys, Help: "Settings of specgraft."},
}

// settingKeys are [project.specgraft].
var settingKeys = []Key{
	{Name: "lint", Type: Map, Ext: true, What: "diagnostic code", Help: `Levels of diagnostics: a code such as "overlay/became-conditional", a group of codes such as "overlay/", or "all", mapped to a level.`,
		Elem: &Key{Type: String, Merge: MergePresent, Enum: []Choice{
			{Value: "error", Help: "The component fails."}, {Value: "warning", Help: "It is reported."}, {Value: "note", Help: "It is mentioned."}, {Value: "off", Help: "It is not reported."}}}},
	{Name: "dirty-clock", Type: String, Ext: true, Default: "head", Help: "The time that a change which is not committed yet gets in a generated changelog.", Enum: []Choice{
		{Value: "head", Help: "The committer date of the project's HEAD, so that the same tree gives the same bytes."},
		{Value: "now", Help: "The current time, as azldev does."}}},
	{Name: "history", Type: String, Ext: true, Default: "locks", Help: "Where a component's own changes come from, which make releases and changelog entries.", Enum: []Choice{
		{Value: "locks", Help: "Commits that change the fingerprint in the component's lock file."},
		{Value: "config", Help: "Commits that touch the files of the component's effective configuration."},
		{Value: "none", Help: "There are none."}}},
	{Name: "profile", Type: String, Ext: true, Help: "The state of azldev's format that the project keeps to; found out when absent.", Enum: []Choice{
		{Value: ProfileOld, Help: "Lock files, each component in one file, test suites."},
		{Value: ProfileLocks, Help: "Lock files, components in several files, tests."},
		{Value: ProfilePins, Help: "Generated pins instead of lock files, components in several files, tests."}}},
	{Name: "header", Type: String, Ext: true, Help: "Text on top of every rendered spec, as a template, instead of azldev's three lines."},
	{Name: "autospec-version", Type: String, Ext: true, Default: "0.8.3", Help: "The rpmautospec version that generated release and changelog blocks name."},
	{Name: "templates-dir", Type: String, Ext: true, Path: true, Default: "templates", Help: "Directory of the project's own spec templates."},
}

var distroRefKeys = []Key{
	{Name: "name", Type: String, Help: "Name of a distribution in [distros]."},
	{Name: "version", Type: String, Help: "A version of it; its default-version when absent."},
	{Name: "snapshot", Type: String, Help: "Moment that upstream is looked at, as RFC 3339 date and time: the newest mainline commit at or before it."},
}

var distroKey = Key{Type: Table, Help: "A distribution.", Keys: []Key{
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "default-version", Type: String, Help: "Version of references that name none."},
	{Name: "dist-git-base-uri", Type: String, Help: "Address of a package's dist-git repository; $pkg stands for the package name."},
	{Name: "lookaside-base-uri", Type: String, Help: "Address of a file of the lookaside cache; $pkg, $filename, $hashtype and $hash stand for its parts."},
	{Name: "mirror-base-uri", Type: List, Ext: true, Merge: MergeLast, Elem: &Key{Type: String, Filled: true}, Help: "Addresses that are tried before dist-git-base-uri, in this order, with $pkg."},
	{Name: "repos", Type: List, Merge: MergeLast, Help: "Package repositories of the distribution.", Elem: &Key{Type: Table, Keys: []Key{
		{Name: "base-uri", Type: String, Required: true, Help: "Address of the repository; $releasever stands for the version."},
	}}},
	{Name: "disable-origins", Type: Bool, Help: "Take source-files from the lookaside cache only."},
	{Name: "versions", Type: Map, What: "distro version", Help: "Versions of the distribution.", Elem: &distroVersionKey},
}}

var distroVersionKey = Key{Type: Table, Merge: MergeWhole, Help: "A version of a distribution. A later file that names the same version replaces it as a whole.", Keys: []Key{
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "release-ver", Type: String, Help: "Value of $releasever, such as 43; it goes into fingerprints."},
	{Name: "dist-git-branch", Type: String, Help: "Branch of the dist-git repositories."},
	{Name: "default-component-config", Type: Table, Keys: componentKeys, Help: "First layer of all components when this is the project's default distribution."},
	{Name: "mock-config", Type: String, Path: true, Help: "Configuration file of mock, for any architecture."},
	{Name: "mock-config-x86_64", Type: String, Path: true, Help: "Configuration file of mock on x86_64."},
	{Name: "mock-config-aarch64", Type: String, Path: true, Help: "Configuration file of mock on aarch64."},
	{Name: "macro-set", Type: String, Ext: true, Path: true, Help: "Pinned macro set to evaluate specs with, as written by 'specgraft macros import'; the built-in set when absent. It serves components whose packaging comes from this version, and the project's own when it is the default distribution."},
	{Name: "kiwi-config-override", Type: String, Since: "0.4", Path: true, Help: "Configuration file for kiwi. No influence on rendering."},
	{Name: "inputs", Type: Table, Help: "Repositories that builds take packages from.", Keys: []Key{
		{Name: "rpm-build", Type: List, Elem: &inputKey, Help: "For building packages."},
		{Name: "image-build", Type: List, Elem: &inputKey, Help: "For building images."},
	}},
}}

var inputKey = Key{Type: Table, Keys: []Key{
	{Name: "repo", Type: String, Help: "Name of a repository in [resources.rpm-repos]."},
	{Name: "set", Type: String, Help: "Name of a set in [resources.rpm-repo-sets]."},
}, Rules: exactlyOne("repo", "set")}

// exactlyOne is the pair of rules of two keys of which one must be given.
func exactlyOne(a, b string) []Rule {
	return []Rule{{Key: a, Not: true, Need: []string{b}}, {Key: a, Forbid: []string{b}}}
}

var groupKey = Key{Type: Table, Merge: MergeUnique, Help: "A group of components.", Keys: []Key{
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "metadata", Type: Table, Keys: metadataKeys, Check: checkMetadata, Help: "Why the group's changes exist. No influence on rendering."},
	{Name: "components", Type: List, Merge: MergeAppend, Elem: &Key{Type: String}, Help: "Members by name; each must be in [components]."},
	{Name: "specs", Type: List, Merge: MergeAppend, Path: true, Elem: &Key{Type: String, Path: true}, Help: "Glob patterns of local spec files; each file found is a component named after it."},
	{Name: "excluded-paths", Type: List, Merge: MergeAppend, Path: true, Elem: &Key{Type: String, Path: true}, Help: "Glob patterns of files that specs does not take."},
	{Name: "default-component-config", Type: Table, Keys: componentKeys, Help: "Defaults for the members; they win over those of the project."},
}}

// OwnComponentKey is a [components.NAME] table. Several files may have one.
var OwnComponentKey = Key{Type: Table, Keys: componentKeys, Check: checkComponent, Help: "A component."}

var componentKeys = []Key{
	{Name: "spec", Type: Table, Keys: specKeys, Late: true, Help: "Where the spec comes from.", Rules: []Rule{
		{Key: "type", Is: []string{"local"}, Need: []string{"path"}},
		{Key: "type", Is: []string{"local"}, Not: true, Forbid: []string{"path"}},
		{Key: "type", Is: []string{"upstream"}, Not: true, Forbid: []string{"upstream-name", "upstream-commit", "source", "srpm"}},
		{Key: "type", Is: []string{"template"}, Need: []string{"template"}},
		{Key: "type", Is: []string{"template"}, Not: true, Forbid: []string{"template"}},
		{Key: "source", Is: []string{"srpm"}, Not: true, Forbid: []string{"srpm"}},
	}},
	{Name: "release", Type: Table, Help: "How the release number is made.", Keys: []Key{
		{Name: "calculation", Type: String, Default: "auto", Help: "How the release number of the rendered spec is made.", Enum: []Choice{
			{Value: ""},
			{Value: "auto", Help: "Static numbers go up by one for each change of the component; %autorelease is computed."},
			{Value: "autorelease", Help: "The spec uses %autorelease."},
			{Value: "static", Help: "The number goes up; %autorelease is an error."},
			{Value: "manual", Help: "The Release tag is left alone."},
			{Value: "smart", Ext: true, Help: "The number goes up where it is defined, also when Release is built from macros."}}},
	}},
	{Name: "overlays", Type: List, Merge: MergeAppend, Elem: &OverlayKey, Help: "Changes of the upstream packaging, in this order, after those of the defaults."},
	{Name: "overlay-files", Type: List, Merge: MergePresent, Elem: &Key{Type: String, Filled: true}, Help: "Paths or glob patterns of overlay documents, relative to the file that defines the component; their overlays come last. An empty list disables inherited ones."},
	{Name: "build", Type: Table, Help: "Build configuration.", Keys: []Key{
		{Name: "with", Type: List, Merge: MergeAppend, Elem: &Key{Type: String}, Help: "Build conditions to switch on."},
		{Name: "without", Type: List, Merge: MergeAppend, Elem: &Key{Type: String}, Help: "Build conditions to switch off."},
		{Name: "defines", Type: Map, What: "macro", Elem: &Key{Type: String, Merge: MergePresent}, Help: "Macros to define."},
		{Name: "undefines", Type: List, Merge: MergeAppend, Elem: &Key{Type: String}, Help: "Macros of the lower layers that are not defined after all."},
		{Name: "emit-upstream-provenance", Type: Bool, Default: "false", Help: "Define macros that hold the upstream version and release."},
		{Name: "check", Type: Table, Late: true, Help: "The %check section.", Keys: []Key{
			{Name: "skip", Type: Bool, Default: "false", Help: "Do not run %check."},
			{Name: "skip_reason", Type: String, Help: "Why it is skipped; written into the spec."},
		}, Rules: []Rule{{Key: "skip", Is: []string{"true"}, Need: []string{"skip_reason"}}}},
		{Name: "failure", Type: Table, Late: true, Help: "Known failures.", Keys: []Key{
			{Name: "expected", Type: Bool, Default: "false", Help: "The component is expected to fail."},
			{Name: "expected-reason", Type: String, Help: "Why it fails."},
		}, Rules: []Rule{{Key: "expected", Is: []string{"true"}, Need: []string{"expected-reason"}}}},
		{Name: "hints", Type: Table, Help: "Advice for the build system.", Keys: []Key{
			{Name: "expensive", Type: Bool, Default: "false", Help: "The build needs a large machine."},
		}},
	}},
	{Name: "render", Type: Table, Help: "How the component is rendered.", Keys: append([]Key{
		{Name: "skip-file-filter", Type: Bool, Default: "false", Help: "Keep all files of the packaging, not only those that the spec names."},
	}, allowRejectedKeys...)},
	{Name: "specgraft", Type: Table, Ext: true, Help: "Settings of specgraft for the component.", Keys: []Key{
		{Name: "render", Type: Table, Ext: true, Help: "How the component is rendered.", Keys: allowRejectedKeys},
		{Name: "release", Type: Table, Ext: true, Help: "More about the release.", Keys: []Key{
			{Name: "suffix", Type: String, Ext: true, Format: suffixFormat, Help: "Text behind the release, such as \".harbor.1\": the build sorts above upstream's of the same release, and below the next one."},
			{Name: "suffix-until", Type: String, Ext: true, Format: evrFormat, Help: "The last [EPOCH:]VERSION-RELEASE of upstream, without dist tag, that gets the suffix: it goes away when upstream is ahead."},
			{Name: "changelog-entry", Type: Bool, Ext: true, Default: "false", Help: "Give a spec with a changelog of its own an entry for the component's changes: who changed it last and when, and a line for each commit."},
		}, Rules: []Rule{{Key: "suffix", Need: []string{"suffix-until"}}, {Key: "suffix-until", Need: []string{"suffix"}}}},
	}},
	{Name: "source-files", Type: List, Merge: MergeAppend, Elem: &sourceFileKey, Help: "Source files that upstream's sources file lacks."},
	{Name: "packages", Type: Map, What: "package", Help: "Configuration of the component's binary packages.", Elem: &Key{Type: Table, Merge: MergeWhole, Keys: packageKeys, Help: "A binary package."}},
	{Name: "publish", Type: Table, Help: "Channels that the component is published to. No influence on rendering.", Keys: []Key{
		{Name: "rpm-channel", Type: String, Format: channelFormat, Help: "Channel of binary packages."},
		{Name: "srpm-channel", Type: String, Format: channelFormat, Help: "Channel of the source package."},
		{Name: "debuginfo-channel", Type: String, Format: channelFormat, Help: "Channel of debuginfo and debugsource packages."},
	}},
	{Name: "tests", Type: Table, Since: "0.4", Help: "Tests of the component. No influence on rendering.", Keys: []Key{
		{Name: "tests", Type: List, Merge: MergeAppend, Elem: &testRefKey, Help: "Tests and test groups to run."},
	}},
	TemplateKey,
}

// allowRejectedKeys stand in the render table, and in that of specgraft.
var allowRejectedKeys = []Key{
	{Name: "allow-rejected", Type: Bool, Ext: true, Default: "false", Help: "Render the component with a warning although rpm would not accept its spec."},
	{Name: "allow-rejected-reason", Type: String, Ext: true, Help: "Why that is right; the warning repeats it."},
}

var specKeys = []Key{
	{Name: "type", Type: String, Help: "Kind of spec.", Enum: []Choice{
		{Value: ""},
		{Value: "local", Help: "A spec file of the project, with the files next to it."},
		{Value: "upstream", Help: "The packaging of another distribution."},
		{Value: "template", Ext: true, Help: "Written from a template and the component's template table."}}},
	{Name: "path", Type: String, Path: true, Help: "The local spec file."},
	{Name: "upstream-distro", Type: Table, Keys: distroRefKeys, Help: "The distribution whose packaging is taken."},
	{Name: "upstream-name", Type: String, Help: "Name of the package there, when it differs from the component's."},
	{Name: "upstream-commit", Type: String, Format: commitFormat, Help: "Commit to take, whatever the snapshot."},
	{Name: "source", Type: String, Ext: true, Default: "dist-git", Help: "What the packaging is read from.", Enum: []Choice{
		{Value: ""},
		{Value: "dist-git", Ext: true, Help: "The dist-git repository."},
		{Value: "srpm", Ext: true, Help: "A source RPM."}}},
	{Name: "srpm", Type: String, Ext: true, Help: "Address of the source RPM, its path relative to this file, or repo://NAME-VERSION-RELEASE for one in the distribution's repos; the newest there when absent."},
	{Name: "template", Type: String, Ext: true, Help: "Name of the template."},
}

var sourceFileKey = Key{Type: Table, Check: checkSourceFile, Keys: []Key{
	{Name: "filename", Type: String, Required: true, Format: FileNameFormat, Help: "Name of the file in the source directory; unique in the component."},
	{Name: "hash", Type: String, Help: "Checksum in hexadecimal digits."},
	{Name: "hash-type", Type: String, Help: "Kind of checksum.", Enum: []Choice{{Value: ""}, {Value: "SHA256"}, {Value: "SHA512"}}},
	{Name: "origin", Type: Table, Required: true, Help: "Where the file comes from.", Keys: []Key{
		{Name: "type", Type: String, Required: true, Help: "Kind of origin.", Enum: []Choice{
			{Value: "download", Help: "Fetched from uri."},
			{Value: "custom", Help: "Made by running script."},
			{Value: "overlay", Help: "An archive that overlays change."}}},
		{Name: "uri", Type: String, Format: uriFormat, Help: "Address to download from."},
		{Name: "script", Type: String, Filled: true, Format: FileNameFormat, Help: "Script that makes the file, in this file's directory; of a local component, beside its spec."},
		{Name: "mock-packages", Type: List, Elem: &Key{Type: String}, Help: "Packages that the script needs."},
		{Name: "inputs", Type: List, Elem: &Key{Type: String, Format: FileNameFormat}, Help: "Files that the script reads."},
	}, Rules: []Rule{
		{Key: "type", Is: []string{"download"}, Need: []string{"uri"}},
		{Key: "type", Is: []string{"custom", "overlay"}, Forbid: []string{"uri"}},
		{Key: "type", Is: []string{"custom"}, Need: []string{"script"}},
		{Key: "type", Is: []string{"download", "overlay"}, Forbid: []string{"script", "mock-packages", "inputs"}},
	}},
	{Name: "replace-upstream", Type: Bool, Default: "false", Help: "Replace the entry of the same name in upstream's sources file."},
	{Name: "replace-reason", Type: String, Help: "Why it is replaced."},
}, Rules: []Rule{
	{Key: "hash", Need: []string{"hash-type"}},
	{Key: "replace-upstream", Is: []string{"true"}, Need: []string{"replace-reason"}},
	{Key: "replace-upstream", Is: []string{"true"}, Not: true, Forbid: []string{"replace-reason"}},
}}

var packageKeys = []Key{
	{Name: "publish", Type: Table, Help: "Channels that the package is published to.", Keys: []Key{
		{Name: "rpm-channel", Type: String, Format: channelFormat, Help: "Channel of the package."},
		{Name: "debuginfo-channel", Type: String, Format: channelFormat, Help: "Channel of debuginfo and debugsource packages."},
		{Name: "channel", Type: String, Format: channelFormat, Help: "Older name of rpm-channel."},
	}},
}

var packageGroupKey = Key{Type: Table, Merge: MergeUnique, Check: checkPackageGroup, Help: "A group of binary packages.", Keys: []Key{
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "packages", Type: List, Merge: MergeAppend, Elem: &Key{Type: String, Filled: true}, Help: "Binary packages of the group; a package is in one group at most."},
	{Name: "default-package-config", Type: Table, Keys: packageKeys, Help: "Defaults for these packages."},
}}

var metadataKeys = []Key{
	{Name: "category", Type: String, Required: true, Help: "Kind of change.", Enum: []Choice{
		{Value: "upstream-backport", Help: "A change that upstream has already; needs commits."},
		{Value: "azl-pruning", Help: "Leaves out what the distribution does not want."},
		{Value: "azl-compatibility", Help: "Makes it work with the rest of the distribution."},
		{Value: "azl-temp-workaround", Help: "To be removed again."},
		{Value: "azl-branding-policy", Help: "Names, logos and policies."},
		{Value: "azl-disable-flaky-tests", Help: "Switches unreliable tests off."},
		{Value: "azl-disable-unsupported-tests", Help: "Switches tests off that cannot run."},
		{Value: "azl-security-compliance", Help: "Needed for security or compliance."},
		{Value: "azl-release-management", Help: "Versions, releases and obsoletes."},
		{Value: "azl-platform-adaptation", Help: "Adapts to the platform."}}},
	{Name: "upstream-status", Type: String, Required: true, Help: "Whether the change can go upstream.", Enum: []Choice{
		{Value: "upstreamed", Help: "It is there."},
		{Value: "upstreamable", Help: "It could go there."},
		{Value: "needs-upstream-hook", Help: "Upstream would need a switch for it."},
		{Value: "inapplicable", Help: "It concerns this distribution only."},
		{Value: "unknown", Help: "Nobody has looked."}}},
	{Name: "commits", Type: List, Elem: &linkKey, Help: "Upstream commits that carry the change."},
	{Name: "bugs", Type: List, Elem: &linkKey, Help: "Reports about it."},
	{Name: "specgraft", Type: Table, Ext: true, Keys: retireKeys, Help: "When the change can go. It is due when one of these has come."},
}

var retireKeys = []Key{
	{Name: "retire-commit", Type: String, Ext: true, Format: commitFormat, Help: "Commit of the packaging upstream: due when the component's commit has it in its history."},
	{Name: "retire-version", Type: String, Ext: true, Filled: true, Help: "Version upstream: due when the component has reached it."},
	{Name: "retire-date", Type: String, Ext: true, Format: dayFormat, Help: "Day, as 2026-12-31: due from then on."},
	{Name: "retire-with", Type: Table, Ext: true, Help: "Another component: due when that one has reached a version.", Keys: []Key{
		{Name: "component", Type: String, Required: true, Ext: true, Filled: true, Help: "Name of the other component."},
		{Name: "version", Type: String, Required: true, Ext: true, Filled: true, Help: "Version that it has to reach."}}},
	{Name: "retire-link", Type: String, Ext: true, Format: httpFormat, Help: "Page of a report that is to be closed first. Recorded only: nothing asks the network."},
}

var linkKey = Key{Type: Table, Keys: []Key{{Name: "url", Type: String, Required: true, Format: httpFormat, Help: "Address of a page."}}}

var imageKey = Key{Type: Table, Merge: MergeUnique, Check: checkImage, Help: "An image.", Keys: []Key{
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "definition", Type: Table, Help: "What the image is built from.", Keys: []Key{
		{Name: "type", Type: String, Help: "Kind of definition.", Enum: []Choice{{Value: ""}, {Value: "kiwi"}}},
		{Name: "path", Type: String, Path: true, Help: "File of the definition."},
		{Name: "profile", Type: String, Help: "Profile in it."},
	}},
	{Name: "capabilities", Type: Table, Help: "What the image can do.", Keys: []Key{
		{Name: "machine-bootable", Type: Bool, Help: "It boots on a machine."},
		{Name: "container", Type: Bool, Help: "It runs as a container."},
		{Name: "systemd", Type: Bool, Help: "It runs systemd."},
		{Name: "runtime-package-management", Type: Bool, Help: "Packages can be installed in it."},
		{Name: "wsl", Type: Bool, Since: "1.0", Help: "It runs in the Windows Subsystem for Linux."},
		{Name: "installer-media", Type: Bool, Since: "1.0", Help: "It installs the distribution."},
		{Name: "fips-enabled", Type: Bool, Since: "1.0", Help: "It runs in FIPS mode."},
		{Name: "cvm", Type: Bool, Since: "1.0", Help: "It runs as a confidential virtual machine."},
	}},
	{Name: "architectures", Type: List, Since: "1.0", Help: "Architectures that it is built for; all when absent or empty.", Elem: &Key{Type: String, Filled: true, Enum: []Choice{{Value: "x86_64"}, {Value: "aarch64"}}}},
	{Name: "tests", Type: Table, Help: "Tests of the image.", Keys: []Key{
		{Name: "tests", Type: List, Since: "0.4", Merge: MergeAppend, Elem: &imageTestRefKey, Help: "Tests and test groups to run."},
		{Name: "test-suites", Type: List, Until: "1.0", Merge: MergeAppend, Help: "Suites of [test-suites] to run.", Elem: &Key{Type: Table, Keys: []Key{
			{Name: "name", Type: String, Required: true, Help: "Name of a suite."}}}},
	}},
	{Name: "publish", Type: Table, Help: "Where the image is published.", Keys: []Key{
		{Name: "channels", Type: List, Merge: MergeAppend, Elem: &Key{Type: String, Filled: true, Format: channelFormat}, Help: "Channels."},
	}},
}}

var testSuiteKey = Key{Type: Table, Merge: MergeUnique, Help: "A test suite.", Keys: []Key{
	{Name: "description", Type: String, Help: "What it is, for people."},
	{Name: "type", Type: String, Required: true, Help: "Kind of suite.", Enum: []Choice{{Value: "pytest"}, {Value: "lisa"}}},
	{Name: "pytest", Type: Table, Help: "A suite run by pytest.", Keys: []Key{
		{Name: "working-dir", Type: String, Path: true, Help: "Directory of the tests."},
		{Name: "test-paths", Type: List, Elem: &Key{Type: String}, Help: "Paths or patterns below it."},
		{Name: "extra-args", Type: List, Elem: &Key{Type: String}, Help: "Further arguments."},
		{Name: "install", Type: String, Default: "none", Help: "What to install first.", Enum: []Choice{{Value: ""}, {Value: "pyproject"}, {Value: "requirements"}, {Value: "none"}}},
	}, Rules: []Rule{{Key: "install", Is: []string{"pyproject", "requirements"}, Need: []string{"working-dir"}}}},
	{Name: "lisa", Type: Table, Help: "A suite run by LISA.", Keys: []Key{
		{Name: "framework", Type: Table, Required: true, Help: "The framework's repository.", Keys: []Key{
			{Name: "git-url", Type: String, Required: true, Help: "Its address."},
			{Name: "ref", Type: String, Required: true, Format: refFormat, Help: "Its commit."},
		}},
		{Name: "test-cases", Type: List, Required: true, Elem: &Key{Type: String, Filled: true}, Help: "Names of test cases."},
		{Name: "pip-pre-install", Type: List, Elem: &Key{Type: String}, Help: "Python packages to install first."},
		{Name: "pip-extras", Type: List, Elem: &Key{Type: String}, Help: "Extras of the framework to install."},
		{Name: "extra-args", Type: List, Elem: &Key{Type: String}, Help: "Further arguments."},
	}},
}, Rules: []Rule{
	{Key: "type", Is: []string{"pytest"}, Need: []string{"pytest"}, Forbid: []string{"lisa"}},
	{Key: "type", Is: []string{"lisa"}, Need: []string{"lisa"}, Forbid: []string{"pytest"}},
}}

var resourceKeys = []Key{
	{Name: "rpm-repos", Type: Map, What: "repository", NameRule: repoNameFormat, Help: "Single repositories.", Elem: &Key{Type: Table, Merge: MergeWhole, Check: checkRepo, Help: "A repository.", Keys: []Key{
		{Name: "description", Type: String, Help: "What it is, for people."},
		{Name: "type", Type: String, Default: "rpm-md", Help: "Kind of repository.", Enum: []Choice{{Value: ""}, {Value: "rpm-md"}}},
		{Name: "base-uri", Type: String, Format: httpFormat, Help: "Its address."},
		{Name: "metalink", Type: String, Format: httpFormat, Help: "Address of its metalink."},
		{Name: "gpg-key", Type: String, Help: "Its key: an address, or a file relative to this one."},
		{Name: "disable-gpg-check", Type: Bool, Default: "false", Help: "Do not check signatures."},
		{Name: "arches", Type: List, Elem: &Key{Type: String, Filled: true}, Help: "Architectures it serves."},
	}, Rules: exactlyOne("base-uri", "metalink")}},
	{Name: "rpm-repo-set-templates", Type: Map, What: "repository set template", NameRule: repoNameFormat, Help: "Shapes of repository sets.", Elem: &Key{Type: Table, Merge: MergeWhole, Check: checkSetTemplate, Help: "A shape.", Keys: []Key{
		{Name: "description", Type: String, Help: "What it is, for people."},
		{Name: "subrepos", Type: List, Required: true, Help: "Its repositories.", Elem: &Key{Type: Table, Keys: []Key{
			{Name: "name", Type: String, Required: true, Format: repoNameFormat, Help: "Name, added to the set's prefix."},
			{Name: "subpath", Type: String, Required: true, Format: subPathFormat, Help: "Path below the set's base-uri."},
			{Name: "kind", Type: String, Default: "binary", Help: "What it holds.", Enum: []Choice{{Value: ""}, {Value: "binary"}, {Value: "debug"}, {Value: "source"}}},
		}}},
	}}},
	{Name: "rpm-repo-sets", Type: Map, What: "repository set", NameRule: repoNameFormat, Help: "Sets of repositories below one address.", Elem: &Key{Type: Table, Merge: MergeWhole, Check: checkRepo, Help: "A set.", Keys: []Key{
		{Name: "description", Type: String, Help: "What it is, for people."},
		{Name: "template", Type: String, Required: true, Help: "Its shape in [resources.rpm-repo-set-templates]."},
		{Name: "base-uri", Type: String, Required: true, Format: httpFormat, Help: "Address of the set."},
		{Name: "name-prefix", Type: String, Help: "Begin of the names of its repositories."},
		{Name: "gpg-key", Type: String, Help: "Its key: an address, or a file relative to this one."},
		{Name: "disable-gpg-check", Type: Bool, Default: "false", Help: "Do not check signatures."},
		{Name: "disable-ssl-verify", Type: Bool, Since: "1.0", Default: "false", Help: "Do not check the server's certificate."},
		{Name: "arches", Type: List, Elem: &Key{Type: String, Filled: true}, Help: "Architectures it serves."},
		{Name: "subrepos", Type: List, Elem: &Key{Type: String, Filled: true}, Help: "The repositories of the shape to take; all when absent."},
	}}},
}

// DocumentKey is an overlay document, which overlay-files names.
var DocumentKey = Key{Type: Table, Help: "An overlay document: changes that belong together, with their reason.", Keys: []Key{
	{Name: "$schema", Type: String, Help: "Address of a JSON schema for editors; ignored."},
	{Name: "metadata", Type: Table, Required: true, Keys: metadataKeys, Check: checkMetadata, Help: "Why the changes exist."},
	{Name: "overlays", Type: List, Required: true, Elem: &OverlayKey, Help: "The changes, in this order."},
}}

// OverlayKey is one overlay. Which of the keys an overlay takes depends on its
// type; the table of operations says so.
var OverlayKey = Key{Type: Table, ops: true, Help: "A change of the packaging.", Keys: overlayKeys()}

// overlayKeys are the keys of all operations.
func overlayKeys() []Key {
	all := overlay.Keys()
	keys := make([]Key, len(all)) // at once: this is done at every start
	for i, k := range all {
		keys[i] = overlayKeyOf(k)
	}
	return keys
}

// overlayKeyOf translates a key of the table of operations.
func overlayKeyOf(ok overlay.Key) Key {
	k := Key{Name: ok.Name, Help: ok.Help, Ext: ok.Extension}
	switch ok.Kind {
	case overlay.KeyStrings:
		k.Type, k.Elem = List, &Key{Type: String}
	case overlay.KeyInteger:
		k.Type = Int
	case overlay.KeyBoolean:
		k.Type = Bool
	case overlay.KeyPath:
		k.Type, k.Path = String, true
	case overlay.KeyTable:
		k.Type, k.Keys, k.Check = Table, metadataKeys, checkMetadata
	case overlay.KeyBranch:
		k.Type = Branch
	default:
		k.Type = String
	}
	return k
}

var ComponentKey = Key{Type: Table, Keys: componentKeys}
