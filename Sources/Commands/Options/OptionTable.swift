// Everything that the command line, the environment and the files may say.

public import BackstopCore

extension OptionTable {
    /// All commands and options of the program.
    public static func standard() -> OptionTable {
        OptionTable(
            options: generalOptions + timeoutOptions + logOptions + postgresOptions + postgresHostOptions + archiveOptions + codecOptions
                + backupOptions + repositoryOptions + encryptionOptions + retentionOptions + restoreOptions + repositoryHostOptions
                + objectStoreOptions + s3Options + azureOptions + gcsOptions + sftpOptions + serverOptions + inspectionOptions
                + internalOptions,
            commands: commandTable, checks: checkOptions)
    }
}
