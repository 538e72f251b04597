// A plan of a restore for people.

import BackstopCore

extension RestorePreview {
    /// Ends with a line feed.
    var text: String {
        var lines: [String] = []
        func title(_ name: String, _ text: String) { lines.append("\(name): \(text)") }
        func add(_ text: String) { lines.append("    \(text)") }

        title("backup", "\(label) (\(type.rawValue)) in \(repository)")
        add("chosen: \(reason)")
        for text in passedOver { add("not used: \(text.split(separator: "\n").first ?? "")") }
        add("ended: \(localTimeWithZone(stopTime))" + (stop.map { " at \($0)" } ?? ""))

        title("files", "\(files.totalFiles), \(roundedSize(files.totalSize)), to \(dataPath)")
        for place in places { add("\(place.name) to \(place.path)") }
        for kind in RestoreFiles.Kind.allCases {
            let count = files.count(kind)
            if count.files > 0 { add(text(kind, count)) }
        }
        if !files.left.isEmpty { add("not restored: \(files.left.joined(separator: ", "))") }
        add("\(Self.count(UInt64(files.folders), "folder")), \(Self.count(UInt64(files.links), "link"))")
        if isDelta {
            if files.kept.files > 0 { add("kept: \(Self.text(files.kept))") }
            if !isForced { add("of the right size, compared before they are kept or replaced: \(Self.text(files.compared))") }
        }
        add("read from \(repository): \(Self.text(files.read) { roundedSize($0) }) by \(Self.text(files.requests) { "\($0)" }) requests")

        title("space", spaces.isEmpty ? "not known" : spaces.contains(where: \.isTooSmall) ? "not enough" : "enough")
        for space in spaces {
            add(
                "\(space.path): \(roundedSize(space.needed)) needed, \(roundedSize(space.free)) free"
                    + (space.replaced > 0 ? ", \(roundedSize(space.replaced)) there that is replaced" : ""))
        }

        switch wal {
        case .unknown(let reason): title("WAL", reason)
        case .needed(let need): addWAL(need, title, add)
        }

        title("recovery", "type \(recovery.type)" + (recovery.type == "preserve" ? ": the settings that are there stay" : ""))
        if let file = recovery.file, !recovery.lines.isEmpty || !recovery.replaced.isEmpty {
            add("\(file):")
            for line in recovery.replaced { add("    # Removed … # \(line)") }
            for line in recovery.lines { add("    \(line)") }
        }
        if let signal = recovery.signal { add("\(signal): an empty file") }

        for warning in warnings { lines += "WARN: \(warning)".split(separator: "\n").map(String.init) }
        lines.append(failure == nil ? "Nothing is known to be in the way of this restore." : "This restore would be refused.")
        return lines.joined(separator: "\n") + "\n"
    }

    private func addWAL(_ need: WALNeed, _ title: (String, String) -> Void, _ add: (String) -> Void) {
        let way = need.path.switches.map { "timeline \($0.timeline) to \($0.lsn)" } + ["timeline \(need.path.end)"]
        title("WAL", way.joined(separator: ", "))
        func state(_ missing: [WALNeed.Run]) -> String {
            let count = missing.reduce(0) { $0 + $1.count }
            return count == 0 ? "all there" : "\(count) MISSING"
        }
        let inBackup = need.inBackup > 0 ? ", \(need.inBackup) of them in the backup" : ""
        add(
            "until consistent: \(need.consistency.text), \(Self.count(need.consistency.count, "segment")), \(state(need.missingForConsistency))\(inBackup)"
        )
        if let following = need.following {
            add("after that: \(following.text), \(Self.count(following.count, "segment")), \(state(need.missingFollowing))")
        } else if recovery.type != "immediate", recovery.type != "none", recovery.type != "preserve" {
            add("after that: none")
        }
        if ["time", "xid", "name"].contains(recovery.type) { add("whether the target is in it only the server can tell") }
    }

    private func text(_ kind: RestoreFiles.Kind, _ count: RestoreFiles.Count) -> String {
        let files = Self.text(count)
        return switch kind {
        case .whole: "on their own: \(files), stored in \(roundedSize(count.stored))"
        case .bundled: "in bundles: \(files), stored in \(roundedSize(count.stored))"
        case .blocks:
            "in blocks: \(files), stored in \(roundedSize(count.stored))"
                + (type == .full ? "" : " and what is unchanged in earlier backups")
        case .empty: "empty: \(Self.count(UInt64(count.files), "file"))"
        case .hole: "without their content: \(files)"
        }
    }

    private static func text(_ count: RestoreFiles.Count) -> String {
        "\(Self.count(UInt64(count.files), "file")), \(roundedSize(count.size))"
    }

    private static func text(_ bounds: RestoreFiles.Bounds, _ text: (UInt64) -> String) -> String {
        guard let most = bounds.atMost else { return "at least \(text(bounds.atLeast))" }
        return most == bounds.atLeast ? text(most) : "\(text(bounds.atLeast)) to \(text(most))"
    }
}
