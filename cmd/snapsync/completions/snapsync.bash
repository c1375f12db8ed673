# bash completion for snapsync, which says itself what can come next. Version 3.2, that of macOS, has no compopt.
_snapsync() {
  local line=${COMP_LINE:0:COMP_POINT} words=() head='' word='' quote='' directive value i
  for ((i = 1; i <= COMP_CWORD; i++)); do # what bash cuts at =, : and @ is one word, unless there is a blank in between
    line=${line#*"${COMP_WORDS[i-1]}"}
    if [[ $line == [[:space:]]* ]]; then
      ((i == 1)) || words+=("$head$word")
      head=
    else
      head+=$word
    fi
    word=${COMP_WORDS[i]} quote=
    ((i < COMP_CWORD)) || word=${line#"${line%%[![:space:]]*}"}
    if [[ $word == [\"\']* ]]; then quote=${word:0:1} word=${word:1} word=${word%"$quote"}; fi
    [[ $quote == \' ]] || IFS= read word <<<"$word" # takes the backslashes off
  done
  [[ ${COMP_WORDS[COMP_CWORD]} != [@=:]* ]] || { head+=$word word=; }
  COMPREPLY=()
  {
    read -r directive
    while IFS=$'\t' read -r value _; do
      value=${value#"$head"}
      case $quote in
      \') value=${value//\'/\'\\\'\'} ;;
      \") value=${value//\\/\\\\} value=${value//\"/\\\"} value=${value//\$/\\\$} value=${value//\`/\\\`} ;;
      *) printf -v value %q "$value" ;;
      esac
      COMPREPLY+=("$value")
    done
  } < <(snapsync __complete -- "${words[@]}" "$head$word" 2>/dev/null)
  compopt -o nosort
  [[ $directive == *files* ]] || compopt +o default
  [[ $directive == *dirs* ]] && compopt -o dirnames
  [[ $directive == *nospace* ]] && compopt -o nospace
} 2>/dev/null
complete -o default -F _snapsync snapsync
