// Everything that the command line, the environment and the files may say.

public import BackstopCore

extension OptionTable {
    /// All commands and options of the program. `programs`: storage drivers that describe their options themselves; `filters`: codecs that
    /// are programs.
    public static func standard(programs: [String] = [], filters: [String] = []) -> OptionTable {
        var options =
            generalOptions + timeoutOptions + logOptions + postgresOptions + postgresHostOptions + archiveOptions + codecOptions
            + backupOptions + repositoryOptions + encryptionOptions + retentionOptions + restoreOptions + repositoryHostOptions
            + objectStoreOptions + s3Options + azureOptions + gcsOptions + sftpOptions + serverOptions + inspectionOptions + internalOptions
        for (name, added) in [("repo-type", programs), ("compress-type", filters)] where !added.isEmpty {
            guard let position = options.firstIndex(where: { $0.name == name }), case .choice(let words) = options[position].kind else {
                continue
            }
            options[position].kind = .choice(words + added.filter { !words.contains($0) })
        }
        return OptionTable(options: options, commands: commandTable, programs: programs, checks: checkOptions)
    }
}
