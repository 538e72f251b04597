// info: what the repositories hold.

import BackstopCore

enum InfoCommand {
    /// The text to print.
    static func run(_ context: RunContext) async throws(BackupError) -> String {
        let progressOnly = context.options.string("detail-level") == "progress"
        var reports: [StanzaReport] = []
        if context.options.string("set") != nil, context.options.string("stanza") == nil {
            throw BackupError(.optionInvalid, "option 'set' not valid without option 'stanza'")
        }
        for stanza in try await stanzas(context) { reports.append(try await StanzaReport.gather(stanza, context)) }
        if context.options.string("output") == "json" {
            return JSON.array(reports.map { $0.json(progressOnly: progressOnly) }).text
        }
        if reports.isEmpty { return "No stanzas exist in the repository.\n" }
        return reports.map { $0.text(progressOnly: progressOnly) }.joined(separator: "\n")
    }

    /// The one that was asked for, or all that any repository has.
    private static func stanzas(_ context: RunContext) async throws(BackupError) -> [String] {
        if let stanza = context.options.string("stanza") { return [stanza] }
        var names: Set<String> = []
        for index in try Repository.selectedIndexes(context) {
            let repository = try await Repository.open(index, context)
            for folder in ["archive", "backup"] {
                for entry in try await repository.storage.list(Key(folder)) where entry.kind == .folder { names.insert(String(entry.key.name)) }
            }
        }
        return names.sorted(by: bytewiseLess)
    }
}
