// What a server is told of its recovery target: the meaning of the options, not their text.

import BackstopCore

/// Pure.
struct ResolvedTarget: Sendable, Equatable {
    /// nil: the type has none.
    var target: String?
    /// nil: not given.
    var timeline: TargetTimeline?
    /// For the log before the copy begins: of what is known to be so, and of what may go wrong.
    var notes: [String] = []
    var warnings: [String] = []

    init(timeline: TargetTimeline? = nil) { self.timeline = timeline }

    /// `label`: of the backup that is restored; `isChosen`: by the user, with --set. Throws `.optionInvalidValue`, `.format`.
    init(
        type: String, target: String?, timeline: String?, label: String, isChosen: Bool, now: Int64
    ) throws(BackupError) {
        if let timeline { self.timeline = try TargetTimeline(timeline) }
        guard let text = target else { return }
        switch type {
        case "time":
            guard let time = RecoveryTarget.timeWithOffset(text), let seconds = seconds(recoveryTime: text) else {
                warnings.append("recovery target time '\(text)' is given to the server as it is, which reads it in its own time zone")
                self.target = text
                return
            }
            self.target = time
            notes.append("recovery target time is \(time)")
            if seconds > now {
                warnings.append(
                    "recovery target time \(time) is in the future: the server will not find it and refuse to start"
                        + "\nHINT: leave out --type and --target to recover all there is.")
            }
        case "lsn": self.target = try LSN(text).description
        case "xid", "name":
            self.target = type == "xid" ? try RecoveryTarget.xid(text) : try RecoveryTarget.name(text)
            if !isChosen {
                warnings.append(
                    "no list tells when \(type == "xid" ? "transaction" : "restore point") '\(text)' was made: the latest backup set \(label) is used"
                        + "\nHINT: if it is older than that backup, choose an earlier one with --set.")
            }
        default: break
        }
    }
}
