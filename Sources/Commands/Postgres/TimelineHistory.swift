// A timeline's history file: where each of its ancestors was left.

import BackstopCore

struct TimelineHistory: Sendable, Equatable {
    struct Switch: Sendable, Equatable {
        /// The timeline that was left.
        var timeline: UInt32
        /// Where: the first byte that is not of it any more.
        var lsn: LSN
    }

    /// From the oldest ancestor to the parent.
    let switches: [Switch]

    /// Lines of a timeline, a location and a reason; empty lines and those with `#` at their begin say nothing.
    init(_ text: String) throws(BackupError) {
        var switches: [Switch] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let fields = line.split(maxSplits: 2, whereSeparator: { $0 == "\t" || $0 == " " })
            guard let first = fields.first, !first.hasPrefix("#") else { continue }
            guard fields.count >= 2, first.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }), let timeline = UInt32(first)
            else {
                throw BackupError(
                    .format, "'\(line)' is not a line of a timeline history", hint: "expected a timeline, a WAL location and a reason.")
            }
            if let last = switches.last, last.timeline >= timeline {
                throw BackupError(.format, "timeline \(timeline) follows \(last.timeline) in a timeline history, expected a larger number")
            }
            switches.append(Switch(timeline: timeline, lsn: try LSN(fields[1])))
        }
        self.switches = switches
    }

    static func fileName(_ timeline: UInt32) -> String { hexadecimal8(timeline) + ".history" }

    /// Where `timeline` was left; nil when it is no ancestor.
    func end(of timeline: UInt32) -> LSN? { switches.first { $0.timeline == timeline }?.lsn }

    /// Whether a backup that started at `lsn` on `timeline` can be recovered to this one.
    func reaches(from timeline: UInt32, at lsn: LSN) -> Bool { end(of: timeline).map { $0 > lsn } ?? false }
}
