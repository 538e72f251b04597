// What can be reached from the backups of a repository: told when what was asked for cannot.

import BackstopCore

/// Pure; one cluster in one repository.
struct ReachableTargets: Sendable {
    struct Backup: Sendable, Equatable {
        var label: String
        /// Unix seconds at which it ended.
        var stopTime: Int64
        /// Where it ended, which is where a recovery can stop first; nil: not known, or it was made offline.
        var stop: LSN?
        /// nil: it was made offline.
        var timeline: UInt32?
    }

    struct Timeline: Sendable, Equatable {
        var number: UInt32
        /// nil: it has none, as the first one, or it cannot be read.
        var history: TimelineHistory?
        /// Up to where its WAL is archived: a place, or the name of a segment where the size of segments is not known.
        var archived: String?
    }

    /// As in `repo1`.
    var repository: String
    /// In the order of their labels.
    var backups: [Backup]
    var timelines: [Timeline]

    /// So many backups are told, from either end.
    private static let toldAtEachEnd = 6

    /// A line for each backup; empty without any.
    var lines: [String] {
        if backups.isEmpty { return [] }
        var lines = backups.map { "\(repository): \(line($0))" }
        let left = lines.count - 2 * Self.toldAtEachEnd
        if left > 1 {
            lines.replaceSubrange(
                Self.toldAtEachEnd..<lines.count - Self.toldAtEachEnd, with: ["\(repository): … and \(left) backups between these …"])
        }
        return ["what can be reached:"] + lines
    }

    private func line(_ backup: Backup) -> String {
        let ended = "--set=\(backup.label), which ended at \(localTimeWithZone(backup.stopTime))"
        guard let timeline = backup.timeline else { return "\(ended), made offline: no WAL follows" }
        guard let stop = backup.stop else { return "\(ended) on timeline \(timeline)" }
        return "\(ended): " + reached(from: timeline, at: stop).joined(separator: "; ")
    }

    /// `timeline 2 from 0/3000100 (left timeline 1 at 0/5000000) to 0/8000000`, that of the backup first.
    private func reached(from start: UInt32, at stop: LSN) -> [String] {
        var texts: [String] = []
        for timeline in timelines.sorted(by: { ($0.number == start ? 0 : $0.number) < ($1.number == start ? 0 : $1.number) }) {
            let place = timeline.archived.map { " to \($0)" } ?? ", of which no WAL is archived"
            if timeline.number == start {
                texts.append("timeline \(start) from \(stop)\(place)")
            } else if let history = timeline.history, history.reaches(from: start, at: stop), let parent = history.switches.last {
                texts.append("timeline \(timeline.number) from \(stop) (left timeline \(parent.timeline) at \(parent.lsn))\(place)")
            }
        }
        return texts.isEmpty ? ["timeline \(start) from \(stop), of which no WAL is archived"] : texts
    }

    /// The sizes of segments by which the byte at `lsn` is in the segment of that name: several in the first segment of 4 GiB, otherwise one.
    static func segmentSizes(_ segment: WALSegment, at lsn: LSN) -> Set<UInt32> {
        Set((20...30).map { UInt32(1) << $0 }.filter { WALSegment(timeline: segment.timeline, of: lsn, segmentSize: $0) == segment })
    }
}

extension ReachableTargets {
    /// The error, whose hint tells what can be reached in all repositories that answer.
    static func telling(_ error: BackupError, _ context: RunContext) async -> BackupError {
        var lines: [String] = []
        for index in context.repositories {
            // Of one that does not answer nothing can be told, and the error is another one.
            guard let all = try? await gather(index, context) else { continue }
            lines += all.flatMap(\.lines)
        }
        if lines.isEmpty { return error }
        var error = error
        error.hint = ((error.hint.map { [$0] } ?? []) + lines).joined(separator: "\n")
        return error
    }

    /// For each cluster that the repository has backups of.
    private static func gather(_ index: Int, _ context: RunContext) async throws(BackupError) -> [ReachableTargets] {
        let repository = try await StanzaRepository.open(index, context)
        let info = try await repository.backupInfo()
        let seal = try await repository.archiveInfoIfAny()?.seal
        var all: [ReachableTargets] = []
        for database in info.history.databases {
            let summaries = info.backups.filter { $0.databaseID == database.id }
            if summaries.isEmpty { continue }
            var sizes: Set<UInt32>?
            let backups = summaries.map { summary in
                let segment = summary.archiveStart.flatMap { WALSegment($0) }
                if let segment, let start = summary.lsnStart.flatMap({ try? LSN($0) }) {
                    let possible = segmentSizes(segment, at: start)
                    sizes = sizes?.intersection(possible) ?? possible
                }
                return Backup(
                    label: summary.label.text, stopTime: summary.timestampStop, stop: summary.lsnStop.flatMap { try? LSN($0) },
                    timeline: segment?.timeline)
            }
            all.append(
                ReachableTargets(
                    repository: repository.name, backups: backups,
                    timelines: try await timelines(repository, database.archiveID, seal, sizes?.count == 1 ? sizes?.first : nil)))
        }
        return all
    }

    private static func timelines(
        _ repository: StanzaRepository, _ archiveID: String, _ seal: Seal?, _ segmentSize: UInt32?
    ) async throws(BackupError) -> [Timeline] {
        let archive = repository.layout.archive / archiveID
        var timelines: [UInt32: Timeline] = [:]
        var folders: [UInt32: [Key]] = [:]
        for entry in try await repository.storage.list(archive) {
            let name = String(entry.key.name)
            if case .history(let number) = WALFileName(name) {
                timelines[number, default: Timeline(number: number)].history =
                    (try? await repository.repository.read(entry.key, seal)).flatMap {
                        try? TimelineHistory(String(decoding: $0, as: UTF8.self))
                    }
            } else if entry.kind == .folder, let folder = WALSegment(name + "00000000") {
                folders[folder.timeline, default: []].append(entry.key)
            }
        }
        for (number, folders) in folders {
            var last: WALSegment?
            for folder in folders.reversed() where last == nil { last = try await ArchiveFile.segments(in: folder, repository).last }
            timelines[number, default: Timeline(number: number)].archived = last.map { segment in
                segmentSize.map { segment.next(segmentSize: $0).start(segmentSize: $0).description } ?? segment.name
            }
        }
        return timelines.values.sorted { $0.number < $1.number }
    }
}
