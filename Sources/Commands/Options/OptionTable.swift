// Everything that the command line, the environment and the files may say.

public import BackstopCore

extension OptionTable {
    /// All commands and options of the program. `programs`: storage drivers that describe their options themselves; `filters`: codecs that
    /// are programs; `plugins`: path of the file that names them.
    public static func standard(
        programs: [String] = [], filters: [String] = [], plugins: String = "/etc/pgbackstop/plugins.conf"
    ) -> OptionTable {
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
        if let type = options.firstIndex(where: { $0.name == "repo-type" }) { options[type].allowList = plugins }
        return OptionTable(options: options, commands: commandTable, programs: programs, plugins: plugins, checks: checkOptions)
    }
}
