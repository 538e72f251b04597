// Which backup a restore takes (repository-format.md section 10.2).

import BackstopCore

struct RestoreSet {
    var repository: StanzaRepository
    var label: BackupLabel
    /// Of the manifest.
    var seal: Seal?
    /// Why it is this one.
    var reason: String
    /// Why repositories before that of the set are not used, a text for each.
    var passedOver: [String] = []

    /// The first repository that has what is asked for.
    static func choose(_ context: RunContext, _ notes: inout RestoreNotes) async throws(BackupError) -> RestoreSet {
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
                    return RestoreSet(
                        repository: repository, label: label, seal: info.seal,
                        reason: reason(wanted: wanted, target, options), passedOver: problems)
                }
                problems.append("\(repository.name): \(info.backups.isEmpty ? "no backup sets to restore" : "no backup set that fits")")
            } catch  where error.code != .cancelled {
                firstError = firstError ?? error
                problems.append(error.text(of: "repo\(index)"))
                notes.warn(error.text(of: "repo\(index)"))
            }
        }
        if problems.count == 1, let firstError { throw firstError }
        throw none(wanted, options, problems)
    }

    private static func reason(wanted: BackupLabel?, _ target: Target?, _ options: Options) -> String {
        if wanted != nil { return "given with --set" }
        switch target {
        case .time(let time): return "the newest that ended before \(localTimeWithZone(time))"
        case .lsn(let lsn): return "the newest that ended at or before \(lsn)"
        case nil:
            let type = options[GeneralOptions.type] ?? ""
            return "the newest" + (type == "xid" || type == "name" ? " (a target of type \(type) chooses none)" : "")
        }
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

    /// Whether recovery can stop at the target, which it cannot before the backup is consistent. Throws `.backupSetInvalid` (75) for a place before
    /// the end of the backup. A time before it is a warning: the clocks of two hosts may differ.
    static func checkReach(_ manifest: Manifest, type: String, target: String?) throws(BackupError) -> String? {
        guard let target else { return nil }
        if type == "lsn", let stop = manifest.lsnStop, try LSN(target) < LSN(stop) {
            throw BackupError(
                .backupSetInvalid, "backup set \(manifest.label) cannot be recovered to \(target): it ended at \(stop)",
                hint: "recovery can stop only where the backup is consistent: choose an earlier one with --set, or leave out --set.")
        }
        guard type == "time", let time = seconds(recoveryTime: target), time < manifest.timestampStop else { return nil }
        return
            "recovery target time \(target) is before the end of backup set \(manifest.label), \(localTimeWithZone(manifest.timestampStop)): the server refuses to stop there"
            + "\nHINT: choose an earlier one with --set, or leave out --set."
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
