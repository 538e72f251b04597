import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// As whom a restore by root works, and whom the files belong to.
struct RestoreOwnersTests {
    private static let postgres = Manifest.Owner(user: "postgres", group: "postgres")

    private func made(_ owners: [(String?, String?)]) -> Manifest {
        var manifest = manifest()
        manifest.places.paths = [Manifest.Path(name: "pg_data", mode: 0o700, owner: Self.postgres)]
        for (number, (user, group)) in owners.enumerated() {
            manifest.files.append(storedFile("pg_data/\(number)", size: 1, user, group))
        }
        return manifest
    }

    struct Case: Sendable {
        var files: [(String?, String?)] = [("postgres", "postgres")]
        /// Of PGDATA, and whether it is empty; nil: there is none.
        var data: (String, Bool)?
        var known: Set = ["root", "postgres", "nobody", "alice"]
        var work: RestoreOwners.Work
    }

    @Test(arguments: [
        Case(work: .asOwner(postgres, adopts: false)), Case(data: ("postgres", false), work: .asOwner(postgres, adopts: false)),
        Case(data: ("postgres", true), work: .asOwner(postgres, adopts: false)),
        Case(data: ("root", true), work: .asOwner(postgres, adopts: true)),
        Case(data: ("nobody", true), work: .asOwner(postgres, adopts: true)),
        // What root has restored there belongs to root: to be removed by root only.
        Case(data: ("root", false), work: .asRoot), Case(data: ("nobody", false), work: .refused),
        // Numbers without a name belong to the owner of PGDATA.
        Case(files: [("postgres", "postgres"), (nil, nil)], work: .asOwner(postgres, adopts: false)),
        Case(files: [("postgres", "postgres"), ("alice", "postgres")], work: .asRoot),
        Case(files: [("postgres", "postgres"), ("alice", "postgres")], data: ("alice", false), work: .asRoot),
        Case(files: [("postgres", "postgres"), ("alice", "postgres")], data: ("nobody", false), work: .refused),
        Case(files: [("postgres", "alice")], work: .asRoot),
        // Nobody of the backup is known: whoever has PGDATA gets it.
        Case(
            data: ("alice", false), known: ["root", "alice"], work: .asOwner(Manifest.Owner(user: "alice", group: "alice"), adopts: false)),
        Case(known: ["root", "alice"], work: .asRoot),
    ])
    func work(_ example: Case) {
        var manifest = made(example.files)
        let data = example.data.map { RestoreOwners.Folder(owner: Manifest.Owner(user: $0.0, group: $0.0), isEmpty: $0.1) }
        let owners = RestoreOwners(&manifest, standing: data) { user, group in
            (user.map(example.known.contains) ?? true) && (group.map(example.known.contains) ?? true)
        }
        #expect(owners.work(data) == example.work)
    }

    @Test func unknownOnThisHost() {
        var manifest = made([("postgres", "postgres"), ("alice", "staff"), ("bob", "postgres")])
        let owners = RestoreOwners(&manifest, standing: nil) { user, group in
            ["postgres", nil].contains(user) && ["postgres", nil].contains(group)
        }
        #expect(owners.unknown == ["group 'staff'", "user 'alice'", "user 'bob'"])
        #expect(manifest.files.allSatisfy { $0.owner == Self.postgres })
    }
}
