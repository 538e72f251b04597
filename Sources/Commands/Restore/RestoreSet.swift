// Which backup a restore takes (repository-format.md section 10.2).

import BackstopCore

struct RestoreSet {
    var repository: StanzaRepository
    var label: BackupLabel
    /// Of the manifest.
    var seal: Seal?

    /// The first repository that has what is asked for.
    static func choose(_ context: RunContext, _ stanza: String) async throws(BackupError) -> RestoreSet {
        let options = context.options
        let written = options[GeneralOptions.set].flatMap { $0 == "latest" ? nil : $0 }
        let wanted = written.flatMap { BackupLabel($0) }
        if let written, wanted == nil {
            throw BackupError(
                .optionInvalidValue, "'\(written)' is not valid for '--set' option", hint: "a backup label looks like 20261121-033952F.")
        }
        var target: Target?
        if wanted == nil, let text = options[RestoreOptions.target] {
            switch options[GeneralOptions.type] {
            case "time": target = .time(try RecoveryTarget.unixSeconds(text))
            case "lsn": target = .lsn(try LSN(text))
            default: break
            }
        }
        var problems: [String] = []
        var firstError: BackupError?
        for index in context.repositories {
            do throws(BackupError) {
                let repository = try await StanzaRepository.open(index, context)
                let info = try await repository.backupInfo()
                if let label = try select(info, wanted: wanted, target) {
                    return RestoreSet(repository: repository, label: label, seal: info.seal)
                }
                problems.append("\(repository.name): \(info.backups.isEmpty ? "no backup sets to restore" : "no backup set that fits")")
            } catch  where error.code != .cancelled {
                firstError = firstError ?? error
                problems.append(error.text(of: "repo\(index)"))
                context.log.warn(error.text(of: "repo\(index)"))
            }
        }
        if problems.count == 1, let firstError { throw firstError }
        throw none(wanted, options, problems)
    }

    enum Target: Sendable {
        /// Unix seconds.
        case time(Int64)
        case lsn(LSN)
    }

    /// nil when this repository has none that fits.
    static func select(_ info: BackupInfo, wanted: BackupLabel?, _ target: Target?) throws(BackupError) -> BackupLabel? {
        if let wanted { return info.backup(wanted)?.label }
        switch target {
        case .time(let time): return info.backups.last { $0.timestampStop < time }?.label
        case .lsn(let lsn):
            for backup in info.backups.reversed() {
                guard let stop = backup.lsnStop else { return nil }
                if try LSN(stop) <= lsn { return backup.label }
            }
            return nil
        case nil:
            guard let newest = info.backups.last else { return nil }
            guard newest.databaseID >= info.history.currentID else {
                throw BackupError(
                    .backupSetInvalid, "the latest backup set is from a prior version of PostgreSQL",
                    hint: "was a backup performed after the stanza-upgrade?\nspecify an earlier backup set with --set.")
            }
            return newest.label
        }
    }

    private static func none(_ wanted: BackupLabel?, _ options: Options, _ problems: [String]) -> BackupError {
        let list = problems.joined(separator: "\n")
        if let wanted {
            return BackupError(
                .backupSetInvalid, "backup set \(wanted) is not valid\n" + list,
                hint: "'\(Program.called) info' lists the backups that there are.")
        }
        if let type = options[GeneralOptions.type], type == "time" || type == "lsn" {
            return BackupError(
                .backupSetInvalid,
                "unable to find backup set to restore for \(type) target '\(options[RestoreOptions.target] ?? "")'\n" + list,
                hint: "a backup must have ended before the target; '\(Program.called) info' shows when they did.")
        }
        return BackupError(.backupSetInvalid, "no backup set found to restore\n" + list, hint: "has a backup been performed?")
    }
}
