package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"bash, zsh, fish or powershell."`
}

// Help is the long text of `completion --help`.
func (*completionCmd) Help() string {
	return `The script goes to stdout.

Examples:

    source <(snapsync completion bash)
    snapsync completion zsh > "${fpath[1]}/_snapsync"
    snapsync completion fish > ~/.config/fish/completions/snapsync.fish
    snapsync completion powershell | Out-String | Invoke-Expression`
}

// Run implements the command.
func (c *completionCmd) Run(a *app) error {
	w := writers[c.Shell]
	commands := words(a.model)
	_, err := io.WriteString(a.stdout, w(commands))
	return err
}

var writers = map[string]func([]word) string{
	"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript,
}

// word is a command with its flags, as a shell completes them.
type word struct {
	name, help string
	flags      []flagWord
}

type flagWord struct {
	name, help string
	short      rune // 0: none
	value      bool // it takes one
}

// words flattens kong's model: snapsync has no commands beneath commands.
func words(app *kong.Application) []word {
	var out []word
	for _, node := range app.Children {
		if node.Hidden {
			continue
		}
		w := word{name: node.Name, help: node.Help}
		for _, level := range node.AllFlags(true) {
			for _, f := range level {
				w.flags = append(w.flags, flagWord{f.Name, f.Help, f.Short, !f.IsBool() && !f.IsCounter()})
			}
		}
		out = append(out, w)
	}
	return out
}

func (w word) flagNames() string {
	var names []string
	for _, f := range w.flags {
		names = append(names, "--"+f.name)
	}
	return strings.Join(names, " ")
}

func names(ws []word) string {
	var out []string
	for _, w := range ws {
		out = append(out, w.name)
	}
	return strings.Join(out, " ")
}

func bashScript(ws []word) string {
	var cases strings.Builder
	for _, w := range ws {
		fmt.Fprintf(&cases, "    %s) flags=%q ;;\n", w.name, w.flagNames())
	}
	return fmt.Sprintf(`# bash completion for snapsync
_snapsync() {
  local cur=${COMP_WORDS[COMP_CWORD]} command= word flags=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " %[1]s " in *" $word "*) command=$word; break ;; esac
  done
  case $command in
%[2]s    *) flags="--help --version" ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "%[1]s" -- "$cur"))
  elif [[ $command == completion ]]; then
    COMPREPLY=($(compgen -W "bash zsh fish powershell" -- "$cur"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -F _snapsync snapsync
`, names(ws), cases.String())
}

func zshScript(ws []word) string {
	var commands, cases strings.Builder
	for _, w := range ws {
		fmt.Fprintf(&commands, "    %s\n", shellQuote(w.name+":"+w.help))
		fmt.Fprintf(&cases, "      %s)\n        _arguments \\\n", w.name)
		for _, f := range w.flags {
			spec := "--" + f.name + "[" + strings.NewReplacer("[", "(", "]", ")").Replace(f.help) + "]"
			if f.value {
				spec += ":value:_files"
			}
			fmt.Fprintf(&cases, "          %s \\\n", shellQuote(spec))
		}
		cases.WriteString("          '*:path:_files' ;;\n")
	}
	return fmt.Sprintf(`#compdef snapsync
_snapsync() {
  local -a commands
  commands=(
%s  )
  local context state line
  _arguments -C '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
%s      esac ;;
  esac
}
compdef _snapsync snapsync
`, commands.String(), cases.String())
}

func fishScript(ws []word) string {
	var b strings.Builder
	b.WriteString("# fish completion for snapsync\n")
	for _, w := range ws {
		fmt.Fprintf(&b, "complete -c snapsync -n __fish_use_subcommand -f -a %s -d %s\n", w.name, shellQuote(w.help))
	}
	for _, w := range ws {
		for _, f := range w.flags {
			fmt.Fprintf(&b, "complete -c snapsync -n '__fish_seen_subcommand_from %s' -l %s", w.name, f.name)
			if f.short != 0 {
				fmt.Fprintf(&b, " -s %c", f.short)
			}
			if f.value {
				b.WriteString(" -r")
			}
			fmt.Fprintf(&b, " -d %s\n", shellQuote(f.help))
		}
	}
	return b.String()
}

func powershellScript(ws []word) string {
	var table strings.Builder
	for _, w := range ws {
		fmt.Fprintf(&table, "    '%s' = '%s'\n", w.name, w.flagNames())
	}
	return fmt.Sprintf(`# PowerShell completion for snapsync
Register-ArgumentCompleter -Native -CommandName snapsync -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $flags = @{
%s  }
  $command = $commandAst.CommandElements | Select-Object -Skip 1 |
    ForEach-Object { $_.ToString() } | Where-Object { $flags.ContainsKey($_) } | Select-Object -First 1
  $candidates = if ($wordToComplete -like '-*' -and $command) { $flags[$command] -split ' ' }
    elseif (-not $command) { '%s' -split ' ' } else { @() }
  $candidates | Where-Object { $_ -like "$wordToComplete*" } |
    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`, table.String(), names(ws))
}

// shellQuote quotes for zsh and fish alike: single quotes, with those inside replaced by typographic ones.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", "’") + "'" }
