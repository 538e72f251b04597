// Whether a restore fits on the file systems that it writes to, before anything is removed.

import BackstopCore
import CSystem
import Glibc

/// What one file system has to take.
struct RestoreSpace: Equatable {
    /// Of the places on it, the first.
    var path: String
    /// Bytes of all files that go there.
    var needed: UInt64
    /// Bytes that the user of the restore may still fill.
    var free: UInt64
    /// Bytes of what is there and makes room.
    var replaced: UInt64 = 0
    /// It stores less than it is given.
    var compresses = false

    /// Certain to fail: never said of what could fit.
    var isTooSmall: Bool { !compresses && needed > free &+ replaced }

    static func refusal(_ systems: [RestoreSpace]) -> BackupError? {
        guard let system = systems.first(where: \.isTooSmall) else { return nil }
        return BackupError(
            .full,
            "unable to restore to path '\(system.path)': \(roundedSize(system.needed)) are needed on its file system,"
                + " \(roundedSize(system.free &+ system.replaced)) are there",
            hint: "make room, or restore to another place; tablespaces can go elsewhere with --tablespace-map. Nothing has been changed.")
    }

    /// Bytes by the longest of `places` (names of the manifest) that each name is or is below.
    static func bytes(_ files: some Sequence<(name: String, size: UInt64)>, by places: [Key]) -> [Key: UInt64] {
        let places = places.sorted { $0.path.utf8.count > $1.path.utf8.count }
        var bytes: [Key: UInt64] = [:]
        for (name, size) in files {
            guard let place = places.first(where: { sameBytes(name, $0.path) || name.isBelow($0.path) }) else { continue }
            bytes[place, default: 0] &+= size
        }
        return bytes
    }
}

extension RestoreTarget {
    /// Throws `.full` (64) when it is certain that not all files find room. `databases`: those that become empty take none.
    func checkSpace(besides databases: DatabaseChoice?) async throws(BackupError) {
        if let refusal = RestoreSpace.refusal(try await spaces(besides: databases, all: false)) { throw refusal }
    }

    /// Of the file systems, in the order of their paths. `all`: also what makes room on those that are large enough without it.
    func spaces(besides databases: DatabaseChoice?, all: Bool) async throws(BackupError) -> [RestoreSpace] {
        let places = realPlaces
        let bytes = RestoreSpace.bytes(
            manifest.files.lazy.filter { databases?.isEmptied($0.name) != true }.map { ($0.name.text, $0.size) }, by: Array(places.keys))
        var systems: [dev_t: RestoreSpace] = [:]
        var paths: [dev_t: [String]] = [:]
        for (name, path) in places.sorted(by: { bytewiseLess($0.key.path, $1.key.path) }) {
            guard let (device, free, compresses) = fileSystem(path) else { continue }
            systems[device, default: RestoreSpace(path: path, needed: 0, free: free, compresses: compresses)].needed &+= bytes[name] ?? 0
            paths[device, default: []].append(path)
        }
        if isDelta || isForced {
            for device in systems.keys where all || systems[device]?.isTooSmall == true {
                for path in paths[device] ?? [] {
                    let replaced = try await context.openTree(path).list(.root, .all).reduce(0) { $0 &+ $1.size }
                    systems[device]?.replaced &+= replaced
                }
            }
        }
        return systems.values.sorted { bytewiseLess($0.path, $1.path) }
    }

    /// Where the targets of the manifest lie once the links are made, by their names in the manifest.
    var realPlaces: [Key: String] {
        var places: [Key: String] = [:]
        for target in manifest.places.targets {
            places[Key(target.name)] = target.isLink ? manifest.places.place(of: target) : manifest.places.dataPath
        }
        return places
    }

    /// Of `path`, or of the first folder above it that exists; nil when nobody knows.
    private func fileSystem(_ path: String) -> (device: dev_t, free: UInt64, compresses: Bool)? {
        var path = path
        var status = pathStatus(path)
        while status == nil {
            guard errno == ENOENT, path != "/" else { return nil }
            path = "/\(Key(absolute: path).parent)"
            status = pathStatus(path)
        }
        guard let status else { return nil }
        var free: UInt64 = 0
        let type = path.withSystemName { backstop_free_space($0, &free) }
        // btrfs, zfs, bcachefs.
        return type < 0 ? nil : (status.st_dev, free, [0x9123_683E, 0x2FC1_2FC1, 0xCA45_1A4E].contains(type))
    }
}
