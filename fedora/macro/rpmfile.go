package macro

// RPM returns the set as a macro file that rpm itself can use in place of its
// own (rpmspec --macros FILE), for Fedora 43 on x86_64: the set's text, what
// New adds for the distribution and the architecture, and stand-ins for macros
// that are computed in Go. Macros whose original is a Lua program with a library
// of its own, such as %gometa and %fontpkg, have none.
func (s *Set) RPM() string { return s.Text() + rpmDefaults + rpmStandIns }

const rpmDefaults = `%_topdir ` + topDir + `
%fedora 43
%dist .fc43
%_arch x86_64
%_target_cpu x86_64
%_lib lib64
%__isa_name x86
%__isa_bits 64
%__isa x86-64
%_isa (x86-64)
`

const rpmStandIns = `%bcond_with() %{expand:%%{?_with_%{1}:%%global with_%{1} 1}}
%bcond_without() %{expand:%%{!?_without_%{1}:%%global with_%{1} 1}}
%bcond() %[ (%2) ? "%{expand:%%{!?_without_%{1}:%%global with_%{1} 1}}" : "%{expand:%%{?_with_%{1}:%%global with_%{1} 1}}" ]
%with() %{expand:%%{?with_%{1}:1}%%{!?with_%{1}:0}}
%without() %{expand:%%{?with_%{1}:0}%%{!?with_%{1}:1}}
%defined() %{expand:%%{?%{1}:1}%%{!?%{1}:0}}
%undefined() %{expand:%%{?%{1}:0}%%{!?%{1}:1}}
%version_no_tilde %{lua:print((string.gsub(rpm.expand("%{version}"), "~", "-")))}
%pypi_source() https://files.pythonhosted.org/packages/source/%{lua:print(string.sub(rpm.expand("%{?1}%{!?1:%{pypi_name}}"), 1, 1))}/%{?1}%{!?1:%{pypi_name}}/%{?1}%{!?1:%{pypi_name}}-%{version}.tar.gz
%crates_source() https://crates.io/api/v1/crates/%{crate}/%{version}/download#/%{crate}-%{version}.crate
%autopatch(vp:m:M:q) %{lua:
local nl = string.char(10)
local low, high = math.tointeger(opt.m) or 0, math.tointeger(opt.M) or 1 << 32
local apply = rpm.expand("%__scm_apply_%{__scm}")
local list = {}
for _, a in ipairs(arg) do
  local found
  for i, n in ipairs(patch_nums) do
    if n == math.tointeger(a) then found = i end
  end
  if not found then error("there is no patch number " .. a) end
  table.insert(list, found)
end
for i, n in ipairs(patch_nums) do
  if #arg == 0 and n >= low and n <= high then table.insert(list, i) end
end
for _, i in ipairs(list) do
  local file = patches[i]
  if posix.access(file, "r") then
    print(rpm.expand(nl .. "%{uncompress:" .. file .. "} | " .. apply .. " " .. (opt.v and "" or "-q") .. " " ..
      (opt.p and "-p" .. opt.p or "") .. " -m" .. string.match(file, "[^/]*$") .. "  " .. file .. " " .. i .. nl .. nl))
  else
    print(nl .. "echo 'Cannot read " .. file .. "'; exit 1;" .. nl .. nl)
  end
end}
`
