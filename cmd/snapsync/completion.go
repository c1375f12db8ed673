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
	_, err := io.WriteString(a.stdout, w(words(a.model)))
	return err
}

var writers = map[string]func([]word) string{
	"bash": bashScript, "zsh": zshScript, "fish": fishScript, "powershell": powershellScript,
}

// word is a command with its flags, as a shell completes them.
type word struct {
	path, help string // path is "run", or "service install"
	flags      []flagWord
	children   []string // commands beneath it, without its own path
}

type flagWord struct {
	name, help string
	short      rune // 0: none
	value      bool // it takes one
}

// words lists all commands of kong's model; one comes before those beneath it.
func words(app *kong.Application) []word { return wordsBeneath(app.Node, "") }

func wordsBeneath(parent *kong.Node, path string) []word {
	var out []word
	for _, node := range parent.Children {
		if node.Hidden {
			continue
		}
		w := word{path: strings.TrimSpace(path + " " + node.Name), help: node.Help}
		for _, level := range node.AllFlags(true) {
			for _, f := range level {
				w.flags = append(w.flags, flagWord{f.Name, f.Help, f.Short, !f.IsBool() && !f.IsCounter()})
			}
		}
		beneath := wordsBeneath(node, w.path)
		for _, b := range beneath {
			w.children = append(w.children, strings.TrimPrefix(b.path, w.path+" "))
		}
		out = append(append(out, w), beneath...)
	}
	return out
}

// name is the last part of the path.
func (w *word) name() string { return w.path[strings.LastIndexByte(w.path, ' ')+1:] }

// parent is what comes before it, "" for a command of its own.
func (w *word) parent() string { return strings.TrimSuffix(w.path[:len(w.path)-len(w.name())], " ") }

func (w *word) flagNames() string {
	var names []string
	for _, f := range w.flags {
		names = append(names, "--"+f.name)
	}
	return strings.Join(names, " ")
}

// names lists the commands that are beneath no other.
func names(ws []word) string {
	var out []string
	for _, w := range ws {
		if w.parent() == "" {
			out = append(out, w.path)
		}
	}
	return strings.Join(out, " ")
}

// bashScript keeps to what version 3.2 of macOS knows.
func bashScript(ws []word) string {
	var flags, children strings.Builder
	for _, w := range ws {
		fmt.Fprintf(&flags, "    %q) flags=%q ;;\n", w.path, w.flagNames())
		if len(w.children) > 0 {
			fmt.Fprintf(&children, "    %q) echo %q ;;\n", w.path, strings.Join(w.children, " "))
		}
	}
	return fmt.Sprintf(`# bash completion for snapsync
_snapsync_commands() {
  case $1 in
    "") echo "%[1]s" ;;
%[2]s  esac
}
_snapsync() {
  local cur=${COMP_WORDS[COMP_CWORD]} command= word flags= commands
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " $(_snapsync_commands "$command") " in *" $word "*) command="${command:+$command }$word" ;; esac
  done
  commands=$(_snapsync_commands "$command")
  case $command in
%[3]s    *) flags="--help --version" ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  elif [[ $command == completion ]]; then
    COMPREPLY=($(compgen -W "bash zsh fish powershell" -- "$cur"))
  else
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -F _snapsync snapsync
`, names(ws), children.String(), flags.String())
}

func zshScript(ws []word) string {
	var commands, cases strings.Builder
	for _, w := range ws {
		if w.parent() != "" {
			continue // with its parent
		}
		fmt.Fprintf(&commands, "    %s\n", shellQuote(w.path+":"+w.help))
		fmt.Fprintf(&cases, "      %s)\n", w.path)
		if len(w.children) > 0 {
			zshNested(&cases, w, ws)
		} else {
			zshFlags(&cases, w, "        ")
		}
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

// zshNested completes the commands beneath one, and then what belongs to them.
func zshNested(b *strings.Builder, parent word, ws []word) {
	fmt.Fprintf(b, "        if (( CURRENT == 2 )); then\n          compadd -- %s\n        else\n", strings.Join(parent.children, " "))
	b.WriteString("          shift words; (( CURRENT-- ))\n          case $words[1] in\n")
	for _, w := range ws {
		if w.parent() == parent.path {
			fmt.Fprintf(b, "            %s)\n", w.name())
			zshFlags(b, w, "              ")
		}
	}
	b.WriteString("          esac\n        fi ;;\n")
}

func zshFlags(b *strings.Builder, w word, indent string) {
	fmt.Fprintf(b, "%s_arguments \\\n", indent)
	for _, f := range w.flags {
		spec := "--" + f.name + "[" + strings.NewReplacer("[", "(", "]", ")").Replace(f.help) + "]"
		if f.value {
			spec += ":value:_files"
		}
		fmt.Fprintf(b, "%s  %s \\\n", indent, shellQuote(spec))
	}
	fmt.Fprintf(b, "%s  '*:path:_files' ;;\n", indent)
}

func fishScript(ws []word) string {
	var b strings.Builder
	b.WriteString("# fish completion for snapsync\n")
	for _, w := range ws {
		when := "__fish_use_subcommand"
		if w.parent() != "" {
			when = shellQuote(fmt.Sprintf("__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s",
				w.parent(), strings.Join(childrenOf(ws, w.parent()), " ")))
		}
		fmt.Fprintf(&b, "complete -c snapsync -n %s -f -a %s -d %s\n", when, w.name(), shellQuote(w.help))
	}
	for _, w := range ws {
		when := "__fish_seen_subcommand_from " + strings.ReplaceAll(w.path, " ", "; and __fish_seen_subcommand_from ")
		for _, f := range w.flags {
			fmt.Fprintf(&b, "complete -c snapsync -n %s -l %s", shellQuote(when), f.name)
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

func childrenOf(ws []word, path string) []string {
	for _, w := range ws {
		if w.path == path {
			return w.children
		}
	}
	return nil
}

func powershellScript(ws []word) string {
	var flags, children strings.Builder
	for _, w := range ws {
		fmt.Fprintf(&flags, "    '%s' = '%s'\n", w.path, w.flagNames())
		if len(w.children) > 0 {
			fmt.Fprintf(&children, "    '%s' = '%s'\n", w.path, strings.Join(w.children, " "))
		}
	}
	return fmt.Sprintf(`# PowerShell completion for snapsync
Register-ArgumentCompleter -Native -CommandName snapsync -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $flags = @{
%s  }
  $commands = @{
    '' = '%s'
%s  }
  $command = ''
  $commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object {
    $longer = "$command $_".Trim()
    if ($flags.ContainsKey($longer)) { $command = $longer }
  }
  $candidates = if ($wordToComplete -like '-*' -and $command) { $flags[$command] -split ' ' }
    elseif ($commands.ContainsKey($command)) { $commands[$command] -split ' ' } else { @() }
  $candidates | Where-Object { $_ -like "$wordToComplete*" } |
    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
}
`, flags.String(), names(ws), children.String())
}

// shellQuote quotes for zsh and fish alike: single quotes, with those inside replaced by typographic ones.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", "’") + "'" }
