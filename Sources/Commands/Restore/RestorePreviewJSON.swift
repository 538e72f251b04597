// `restore --plan --output=json`; its keys are listed in docs/user-guide.md.

import BackstopCore

extension RestorePreview {
    var json: JSON {
        var kinds: [String: JSON] = [:]
        for kind in RestoreFiles.Kind.allCases { kinds[kind.rawValue] = files.count(kind).json(stored: true) }
        return .object([
            "backup": .object([
                "label": .string(label.text), "lsn-stop": JSON(stop), "passed-over": .strings(passedOver), "reason": .string(reason),
                "repo-key": JSON(Int(repository.dropFirst(4)) ?? 0), "timestamp-stop": .integer(stopTime), "type": .string(type.rawValue),
            ]),
            "delta": .bool(isDelta), "force": .bool(isForced),
            "error": failure.map {
                .object([
                    "code": JSON(Int($0.code.exitStatus)), "hint": JSON($0.hint), "message": .string($0.message),
                ])
            } ?? .null,
            "file": .object([
                "compared": files.compared.json(stored: false), "folder": JSON(files.folders), "kept": files.kept.json(stored: false),
                "kind": .object(kinds),
                "left": .strings(files.left), "link": JSON(files.links), "read": files.read.json, "request": files.requests.json,
                "total": JSON(files.totalFiles), "total-size": JSON(files.totalSize),
            ]),
            "path": .string(dataPath),
            "place": .array(places.map { .object(["name": .string($0.name), "path": .string($0.path)]) }),
            "recovery": .object([
                "file": JSON(recovery.file), "line": .strings(recovery.lines), "replaced": .strings(recovery.replaced),
                "signal": JSON(recovery.signal), "type": .string(recovery.type),
            ]),
            "running": .bool(isRunning),
            "space": .array(
                spaces.map {
                    .object([
                        "free": JSON($0.free), "needed": JSON($0.needed), "path": .string($0.path), "replaced": JSON($0.replaced),
                        "too-small": .bool($0.isTooSmall),
                    ])
                }),
            "wal": walJSON,
            "warning": .strings(warnings),
        ])
    }

    private var walJSON: JSON {
        guard case .needed(let need) = wal else { return .null }
        return .object([
            "consistency": need.consistency.json(need.missingForConsistency, ["in-backup": JSON(need.inBackup)]),
            "following": need.following.map { $0.json(need.missingFollowing, [:]) } ?? .null,
            "newest": JSON(need.newest?.name),
            "reaches-target": need.reachesGoal.map { .bool($0) } ?? .null,
            "segment-size": JSON(UInt64(need.segmentSize)),
            "switch": .array(
                need.path.switches.map { .object(["lsn": .string($0.lsn.description), "timeline": JSON(UInt64($0.timeline))]) }),
            "timeline": JSON(UInt64(need.path.end)),
        ])
    }
}

extension WALNeed.Run {
    fileprivate func json(_ missing: [WALNeed.Run], _ more: [String: JSON]) -> JSON {
        var object = range
        object["missing"] = .array(missing.map { .object($0.range) })
        return .object(object.merging(more) { first, _ in first })
    }

    private var range: [String: JSON] { ["count": JSON(count), "first": .string(first.name), "last": .string(last.name)] }
}

extension RestoreFiles.Count {
    fileprivate func json(stored isShown: Bool) -> JSON {
        var object = ["file": JSON(files), "size": JSON(size)]
        if isShown { object["stored"] = JSON(stored) }
        return .object(object)
    }
}

extension RestoreFiles.Bounds {
    fileprivate var json: JSON { .object(["at-least": JSON(atLeast), "at-most": atMost.map { JSON($0) } ?? .null]) }
}

extension JSON {
    fileprivate static func strings(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
}
