// info: what the repositories hold.

import BackstopCore

enum InfoCommand {
    /// The text to print.
    static func run(_ context: RunContext) async throws(BackupError) -> String {
        let progressOnly = context.options[InspectionOptions.detailLevel] == "progress"
        var reports: [StanzaReport] = []
        if context.options[GeneralOptions.set] != nil, context.options[SourceOptions.stanza] == nil {
            throw BackupError(.optionInvalid, "option 'set' not valid without option 'stanza'")
        }
        if progressOnly, context.options[GeneralOptions.set] != nil {
            throw BackupError(.optionInvalid, "option 'set' cannot be used with option 'detail-level' = 'progress'")
        }
        let (stanzas, failures) = try await stanzas(context)
        for stanza in stanzas { reports.append(try await StanzaReport.gather(stanza, context)) }
        // What a broken repository holds nobody can say, but that it is broken has to be seen.
        if reports.isEmpty, !failures.isEmpty {
            reports = [StanzaReport(name: "[invalid]", repositories: failures, backups: [], backupLocks: [])]
        }
        if context.options[RunOptions.output] == "json" {
            return JSON.array(reports.map { $0.json(progressOnly: progressOnly) }).text
        }
        if reports.isEmpty { return "No stanzas exist in the repository.\n" }
        return reports.map { $0.text(progressOnly: progressOnly) }.joined(separator: "\n")
    }

    /// The one that was asked for, or all that any repository has; and the repositories that cannot be listed.
    private static func stanzas(_ context: RunContext) async throws(BackupError) -> ([String], [StanzaReport.RepositoryReport]) {
        if let stanza = context.options[SourceOptions.stanza] { return ([stanza], []) }
        var names: Set<String> = []
        var failures: [StanzaReport.RepositoryReport] = []
        for index in context.repositories {
            do throws(BackupError) {
                let repository = try await Repository.open(index, context)
                for folder in Layout.roots {
                    for entry in try await repository.storage.list(folder) where entry.kind == .folder {
                        names.insert(String(entry.key.name))
                    }
                }
            } catch  where error.code != .cancelled {
                failures.append(StanzaReport.RepositoryReport(index, failed: error, context))
            }
        }
        return (names.sorted(by: bytewiseLess), failures)
    }
}

extension InfoCommand {
    static let command = Command(
        CommandSpec(
            "info", "Backup and restore", "list stanzas and their backups",
            "Shows all stanzas, or one with --stanza, or one backup with --set. The exit status is 0 whatever the state of the stanzas is."
        ) {
            $0.stanza = .optional
            $0.runLevel = .debug
        },
        repositories: .each, run: { (context) throws(BackupError) in try StandardOutput.write(try await run(context)) })
}
