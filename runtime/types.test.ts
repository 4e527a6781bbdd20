import { describe, expect, test } from "@jest/globals";
import { KeptError, UnhashableArgumentError } from "./errors.ts";
import { encodeKey, keyText } from "./key.ts";
import { findType, registerType, typeNamed } from "./types.ts";

const site = { id: "src/rides.ts#loadRides", hashed: ["a"] };
const text = (value: unknown) => keyText(encodeKey([value], site));
const IDENTITY = Symbol.for("kept.key");

describe("registerType", () => {
  test("says what identifies an instance", () => {
    class User {
      id: number;
      seen = Math.random();
      constructor(id: number) {
        this.id = id;
      }
    }
    expect(() => text(new User(1))).toThrow(UnhashableArgumentError);
    registerType(User, { key: (user) => user.id });
    expect(text(new User(1))).toBe(text(new User(1)));
    expect(text(new User(1))).not.toBe(text(new User(2)));
    expect(text([new User(1)])).not.toBe(text([1]));
    expect(text(new User(1))).not.toBe(text({ id: 1 }));
  });

  test("includes subclasses, and tells them apart", () => {
    class Shape {
      size = 1;
    }
    class Square extends Shape {}
    class Circle extends Shape {
      round = true;
    }
    registerType(Shape, { name: "Shape", key: (shape) => shape.size });
    const texts = [new Shape(), new Square(), new Circle()].map(text);
    expect(new Set(texts).size).toBe(3);
    expect(text(new Square())).toBe(text(new Square()));
  });

  test("keeps two classes of one name apart", () => {
    const make = (field: string) => new Function(`return class Point { ${field} = 1 }`)() as new () => object;
    const [One, Other] = [make("x"), make("y")];
    registerType(One, { key: () => 1 });
    registerType(Other, { key: () => 1 });
    expect(text(new One())).not.toBe(text(new Other()));
  });

  test("replaces what was registered before, as hot reload does", () => {
    class Money {
      amount = 5;
    }
    registerType(Money, { name: "Money", key: () => "before" });
    const before = text(new Money());
    registerType(Money, { name: "Money", key: () => "after" });
    expect(text(new Money())).not.toBe(before);
    class Reloaded {
      amount = 5;
    }
    registerType(Reloaded, { name: "Money", key: () => "before" });
    expect(text(new Reloaded())).toBe(before);
    expect(typeNamed("Money")?.prototype).toBe(Reloaded.prototype);
    expect(findType(Money.prototype, (type) => type.key)?.name).toBe("Money");
  });

  test("takes the value itself as a key to mean its own fields", () => {
    class Pair {
      left: unknown;
      right: unknown;
      constructor(left: unknown, right: unknown) {
        this.left = left;
        this.right = right;
      }
    }
    registerType(Pair, { name: "Pair", key: (pair) => pair });
    expect(text(new Pair(1, 2))).toBe(text(new Pair(1, 2)));
    expect(text(new Pair(1, 2))).not.toBe(text(new Pair(2, 1)));
    expect(text(new Pair(1, new Pair(2, 3)))).not.toBe(text(new Pair(new Pair(1, 2), 3)));
    const cycle = () => {
      const pair = new Pair(1, undefined);
      pair.right = pair;
      return pair;
    };
    expect(text(cycle())).toBe(text(cycle()));
    expect(text(cycle())).not.toBe(text(new Pair(1, cycle())));
  });

  test("falls back to what is written for stores", () => {
    class Amount {
      value: number;
      constructor(value: number) {
        this.value = value;
      }
    }
    registerType(Amount, { name: "Amount", encode: (a) => [a.value], decode: ([value]) => new Amount(value) });
    expect(text(new Amount(5))).toBe("c6:Amount[n5]");
  });

  test("takes precedence over what is built in, for that very class", () => {
    class Upper extends Uint8Array {}
    registerType(Upper, { key: (bytes) => bytes.length });
    expect(text(new Upper([1]))).toBe(text(new Upper([2])));
    expect(text(new Uint8Array([1]))).not.toBe(text(new Uint8Array([2])));

    const calm = text(new Date(1));
    registerType(Date, { name: "Date", key: (date) => Math.floor(date.getTime() / 1000) });
    expect(text(new Date(1))).toBe(text(new Date(2)));
    expect(text(new Date(1))).not.toBe(calm);
    registerType(Date, { name: "Date", key: (date) => date.getTime() });
  });

  test("names the place where a key function gives what can't be keyed", () => {
    class Holder {}
    registerType(Holder, { key: () => ({ open: () => 1 }) });
    expect(() => text([new Holder()])).toThrow("`a[0].key().open` is the function `open`");
  });

  test("ends a key function that gives ever new instances", () => {
    class Endless {}
    registerType(Endless, { key: () => new Endless() });
    expect(() => text(new Endless())).toThrow("nested more than");
  });

  test("refuses what is no class, plain objects, and half of a pair", () => {
    const bad = (type: unknown, how: object, why: string) => {
      let caught: unknown;
      try {
        registerType(type as never, how);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(KeptError);
      expect((caught as KeptError).code).toBe("bad-type");
      expect((caught as KeptError).message).toContain(why);
    };
    class Fine {}
    bad(() => 1, {}, "it is no class");
    bad({}, {}, "it is no class");
    bad(Object, {}, "plain objects");
    bad(Array, {}, "plain objects");
    bad(Fine, { hash: () => 1 }, "`hash` is no option");
    bad(Fine, { key: "id" }, "`key` of Fine is not a function");
    bad(Fine, { encode: () => 1 }, "`encode` and no `decode`");
  });
});

describe("[Symbol.for('kept.key')]", () => {
  test("identifies instances, by class too", () => {
    class Tenant {
      id: number;
      constructor(id: number) {
        this.id = id;
      }
      [IDENTITY]() {
        return this.id;
      }
    }
    class Guest extends Tenant {}
    expect(text(new Tenant(1))).toBe(text(new Tenant(1)));
    expect(text(new Tenant(1))).not.toBe(text(new Tenant(2)));
    expect(text(new Tenant(1))).not.toBe(text(new Guest(1)));
  });

  test("identifies a plain object, whatever else it holds", () => {
    const session = (id: number) => ({ send: () => 1, [IDENTITY]: () => id });
    expect(text({ session: session(1) })).toBe(text({ session: session(1) }));
    expect(text({ session: session(1) })).not.toBe(text({ session: session(2) }));
  });

  test("identifies a function, apart from an object of that identity", () => {
    const fn = Object.assign(() => 1, { [IDENTITY]: () => "v1" });
    expect(text(fn)).not.toBe(text({ [IDENTITY]: () => "v1" }));
    expect(text(fn)).toBe(text(Object.assign(() => 2, { [IDENTITY]: () => "v1" })));
  });

  test("of the nearest class holds, and a registration nearer still", () => {
    class Base {
      [IDENTITY]() {
        return "base";
      }
    }
    class Derived extends Base {
      override [IDENTITY]() {
        return "derived";
      }
    }
    class Registered extends Derived {}
    registerType(Registered, { name: "Registered", key: () => "registered" });
    expect(text(new Derived())).toContain("derived");
    expect(text(new Registered())).toBe("c10:Registereds10:registered");
  });
});
