#compdef snapsync
# zsh completion for snapsync, which says itself what can come next.
_snapsync() {
  local head line value ret=1
  local -a lines items blank
  [[ $PREFIX != -*=* ]] || head=${PREFIX%%=*}=
  # Of the current word it gets a flag only: zsh compares values in its own way, and knows what their quotes mean.
  lines=("${(@f)$(snapsync __complete -- "${(@Q)words[2,CURRENT-1]}" "${head:-${(M)PREFIX:#-*}}" 2>/dev/null)}")
  [[ -z $head ]] || compset -P 1 '*='
  for line in "${(@)lines[2,-1]}"; do
    value=${${line%%$'\t'*}#$head}
    value=${${value//\\/\\\\}//:/\\:}:${line#*$'\t'}
    items+=("${value%:}") # where there is no description
  done
  [[ $lines[1] != *nospace* ]] || blank=(-S '')
  (( ! $#items )) || _describe -V -t values value items "${(@)blank}" && ret=0
  case $lines[1] in
    *files*) _files && ret=0 ;;
    *dirs*) _files -/ && ret=0 ;;
  esac
  return ret
}
if [[ $funcstack[1] == _snapsync ]]; then _snapsync "$@"; else compdef _snapsync snapsync; fi
