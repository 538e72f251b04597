// A history or backup history file whose name is in the archive already.

import BackstopCore

enum PresentFile {
    /// Bytes; a history of 100,000 timelines has fewer.
    static let largest = 16 << 20

    /// What the archive has.
    enum Content: Equatable {
        case bytes([UInt8])
        /// This host may add but not read.
        case hidden
        case damaged
    }

    /// What is done with it, and what is said about that.
    enum Decision: Equatable {
        case keep(warning: String?)
        case replace(warning: String)
    }

    /// Throws `.archiveDuplicate` (45) for the history of another timeline of the same number: whoever recovers along it needs the one
    /// that is there. `.denied` when it cannot be told whether it is another one.
    static func decide(_ name: String, new: [UInt8], _ present: Content, in repository: String) throws(BackupError) -> Decision {
        let what = "'\(name)' already exists in the \(repository) archive"
        switch present {
        case .bytes(new): return .keep(warning: nil)
        case .hidden:
            guard case .history = WALFileName(name) else {
                return .keep(warning: "\(what), where it cannot be read from this host: it is left as it is")
            }
            throw BackupError(.denied, "timeline history \(what) and cannot be read from this host", hint: "it may be another one.")
        case .damaged: return .replace(warning: "\(what) and is damaged: it is replaced")
        case .bytes(let old):
            guard case .history = WALFileName(name) else { return .replace(warning: "\(what) with other content: it is replaced") }
            guard let stored = history(old) else { return .replace(warning: "\(what) and is no timeline history: it is replaced") }
            if history(new) == stored { return .keep(warning: "\(what) with the same fork points in other words: it is left as it is") }
            throw BackupError(
                .archiveDuplicate, "timeline history \(what) with other fork points",
                hint: "two servers were promoted to the same timeline: only one of them may archive to this stanza."
                    + "\npromote the other one anew when its restore_command sees this archive: it then takes the next timeline.")
        }
    }

    /// nil when it is none: one without a line has no ancestors, and then there would be no file.
    private static func history(_ bytes: [UInt8]) -> TimelineHistory? {
        guard let history = try? TimelineHistory(String(decoding: bytes, as: UTF8.self)), !history.switches.isEmpty else { return nil }
        return history
    }
}
