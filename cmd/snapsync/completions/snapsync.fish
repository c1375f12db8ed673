# fish completion for snapsync, which says itself what can come next.
function __snapsync_complete
    set -l current (commandline -ct)
    # Of the current word it gets a flag only: fish compares values in its own way, and knows what their quotes mean.
    set -l head (string match -r -- '^-[^=]*=?' $current; or echo '')
    set -l lines (snapsync __complete -- (commandline -opc)[2..-1] $head 2>/dev/null)
    set -q lines[1]; or return
    string join \n -- $lines[2..-1]
    string match -q '*=' -- $head; or set head ''
    # A command that does not exist takes files, whatever is typed of them.
    set -l paths (complete -C "__snapsync_paths "(string replace -r -- '^-[^=]*=' '' $current))
    switch $lines[1]
        case '*files*'
            string join \n -- $head$paths
        case '*dirs*'
            string join \n -- $head(string match -- '*/' $paths)
    end
end
complete -c snapsync -f -k -a '(__snapsync_complete)'
