# PowerShell completion for snapsync, which says itself what can come next.
Register-ArgumentCompleter -Native -CommandName 'snapsync', 'snapsync.exe' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
  $typed = $wordToComplete -replace '[''"]'
  # Of the current word it gets a flag only: what follows is compared here. Before 7.3 an empty argument is lost.
  $flag = if ($typed -match '^-[^=]*=?') { $Matches[0] } elseif ($PSVersionTable.PSVersion -lt [version]'7.3') { '""' } else { '' }
  $PSNativeCommandArgumentPassing = 'Standard'
  $encoding = [Console]::OutputEncoding
  try {
    [Console]::OutputEncoding = [System.Text.Encoding]::UTF8
    $directive, $candidates = @(& snapsync '__complete' '--' @words $flag 2>$null)
  } finally {
    [Console]::OutputEncoding = $encoding
  }
  $results = @(foreach ($line in $candidates) {
    $value, $help = $line -split "`t", 2
    if ($value.StartsWith($typed, [System.StringComparison]::OrdinalIgnoreCase)) {
      $text = if ($value -match '^[\w:=./+-]+$') { $value } else { "'" + $value.Replace("'", "''") + "'" }
      [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $(if ($help) { $help } else { $value }))
    }
  })
  if ($directive -match 'files|dirs') {
    $head = if ($flag -like '-*=') { $flag } else { '' }
    $results += @([System.Management.Automation.CompletionCompleters]::CompleteFilename($typed.Substring($head.Length)) |
      Where-Object { $directive -match 'files' -or $_.ResultType -eq 'ProviderContainer' } |
      ForEach-Object { [System.Management.Automation.CompletionResult]::new($head + $_.CompletionText, $_.ListItemText, $_.ResultType, $_.ToolTip) })
  }
  if ($results) { $results } else { '' } # with nothing at all, PowerShell would complete files
}
