// `info` as text (repository-format.md section 12.5).

import BackstopCore

extension StanzaReport {
    /// Ends with a line feed.
    func text(progressOnly: Bool) -> String {
        var lines = ["stanza: \(name)"]
        addStatus(to: &lines)
        if progressOnly || status == .missingPath { return lines.joined(separator: "\n") + "\n" }
        if cipher == "mixed" {
            lines.append("    cipher: mixed")
            for repository in repositories { lines.append("        repo\(repository.index): \(repository.cipher)") }
        } else {
            lines.append("    cipher: \(cipher)")
        }
        addClusters(to: &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    private func addStatus(to lines: inout [String]) {
        let status = status
        let running = runningText
        if status == .mixed {
            lines.append("    status: mixed\(running)")
            for repository in repositories {
                lines.append(
                    "        repo\(repository.index): \(repository.status.code == 0 ? "ok" : "error (\(repository.status.code == 99 ? "other" : repository.status.message))")"
                )
                addOther(repository.status, to: &lines)
            }
        } else if status.code == 0 {
            lines.append("    status: ok\(running)")
        } else {
            lines.append("    status: error (\(status.message))\(running)")
            if status.code == 99 { for repository in repositories { addOther(repository.status, to: &lines) } }
        }
    }

    private func addOther(_ status: Status, to lines: inout [String]) {
        guard status.code == 99 else { return }
        for line in status.message.split(separator: "\n") { lines.append("            \(line)") }
    }

    private var runningText: String {
        func text(_ what: String, _ size: UInt64?, _ complete: UInt64) -> String {
            guard let size, size > 0 else { return " (\(what) running)" }
            return " (\(what) running - \(percentText(complete, of: size))% complete)"
        }
        var running = ""
        if !backupLocks.isEmpty {
            let sizes = backupLocks.compactMap(\.state.size)
            running += text(
                "backup/expire", sizes.isEmpty ? nil : sizes.reduce(0, &+), backupLocks.reduce(0) { $0 &+ ($1.state.complete ?? 0) })
        }
        if let restoreLock { running += text("restore", restoreLock.size, restoreLock.complete ?? 0) }
        return running
    }

    /// Clusters with their WAL and backups, the current one last.
    private func addClusters(to lines: inout [String]) {
        guard let current = repositories.compactMap(\.history?.current).first else { return }
        var clusters: [DatabaseHistory.Database] = []
        for repository in repositories {
            for database in repository.history?.databases ?? [] where !clusters.contains(where: { ($0.identity == database.identity) }) {
                clusters.append(database)
            }
        }
        clusters.sort { (($0.identity == current.identity) ? 1 : 0, $0.id) < (($1.identity == current.identity) ? 1 : 0, $1.id) }
        for cluster in clusters {
            let archives = repositories.flatMap(\.archives).filter { ($0.database.identity == cluster.identity) }
            let backups = backups.filter { backup in
                repositories.first { $0.index == backup.repository }?.history?.database(backup.summary.databaseID)?.identity
                    == cluster.identity
            }
            let isCurrent = (cluster.identity == current.identity)
            if !isCurrent && backups.isEmpty && archives.allSatisfy({ $0.min == nil }) { continue }
            lines.append("")
            lines.append("    db (\(isCurrent ? "current" : "prior"))")
            let first = archives.compactMap(\.min).min(by: bytewiseLess)
            let last = archives.compactMap(\.max).max(by: bytewiseLess)
            let shown = if let first, let last { "\(first)/\(last)" } else { "none present" }
            lines.append("        wal archive min/max (\(cluster.version)): \(shown)")
            for backup in backups { addBackup(backup, to: &lines) }
        }
    }

    private func addBackup(_ backup: Backup, to lines: inout [String]) {
        let summary = backup.summary
        func number(_ key: String) -> UInt64 { summary.object[key]?.uint ?? 0 }
        func add(_ text: String) { lines.append("            " + text) }
        lines += ["", "        \(summary.type.rawValue) backup: \(summary.label)"]
        add("timestamp start/stop: \(localTimeWithZone(summary.timestampStart)) / \(localTimeWithZone(summary.timestampStop))")
        if let start = summary.archiveStart, let stop = summary.archiveStop {
            add("wal start/stop: \(start) / \(stop)")
        } else {
            add("wal start/stop: n/a")
        }
        if backup.manifest != nil, let start = summary.lsnStart, let stop = summary.lsnStop { add("lsn start/stop: \(start) / \(stop)") }
        add(
            "database size: \(roundedSize(number("backup-info-size"))), database backup size: \(roundedSize(number("backup-info-size-delta")))"
        )
        let setSize =
            summary.object["backup-info-repo-size-map"] == nil ? "backup set size: \(roundedSize(number("backup-info-repo-size"))), " : ""
        add("repo\(backup.repository): \(setSize)backup size: \(roundedSize(number("backup-info-repo-size-delta")))")
        if let references = summary.references, !references.isEmpty {
            if backup.manifest != nil {
                add("backup reference list: " + references.map(\.text).joined(separator: ", "))
            } else {
                let counts = [BackupType.full, .diff, .incr].compactMap { type in
                    let count = references.count { $0.type == type }
                    return count == 0 ? nil : "\(count) \(type.rawValue)"
                }
                add("backup reference total: " + counts.joined(separator: ", "))
            }
        }
        if let manifest = backup.manifest { addDetails(manifest, add) }
        if summary.object["backup-error"]?.bool == true {
            if let damaged = backup.manifest?.damagedFiles, !damaged.isEmpty {
                add("error list: " + damaged.joined(separator: ", "))
            } else {
                add("error(s) detected during backup")
            }
        }
        if let annotations = summary.object["backup-annotation"]?.object, !annotations.isEmpty, backup.manifest != nil {
            add("annotation(s)")
            for key in annotations.keys.sorted(by: bytewiseLess) { add("    \(key): \(annotations[key]?.string ?? "")") }
        }
    }

    private func addDetails(_ manifest: Manifest, _ add: (String) -> Void) {
        let databases = manifest.userDatabases.map { "\($0.name) (\($0.id))" }
        add("database list: " + (databases.isEmpty ? "none" : databases.joined(separator: ", ")))
        let links = manifest.plainLinks
        if !links.isEmpty {
            add("symlinks:")
            for link in links { add("    \(link.name) => \(link.destination)") }
        }
        let tablespaces = manifest.places.targets.filter { $0.tablespace != nil }
        if !tablespaces.isEmpty {
            add("tablespaces:")
            for target in tablespaces { add("    \(target.tablespace!.name) (\(target.tablespace!.id)) => \(target.path)") }
        }
    }
}
