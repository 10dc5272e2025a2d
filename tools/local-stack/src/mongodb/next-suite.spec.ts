import { expect, it } from '@jest/globals';
import { translateLines, translateStanzas } from './next-suite.js';

it('asks the same mirror for the next suite, and nobody else for anything', () => {
  const sources = `
# a comment
Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
`;
  expect(translateStanzas(sources, 'bookworm', 'trixie')).toBe(`Types: deb
URIs: http://mirror.example/debian
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`);
});

it('does so for the one-line style too', () => {
  const sources = `
# deb http://mirror.example/debian bookworm main
deb [signed-by=/usr/share/keyrings/a.gpg arch=amd64] http://mirror.example/debian bookworm main contrib
deb http://mirror.example/debian bookworm-updates main
deb https://elsewhere.example/apt nodistro main
deb-src http://mirror.example/debian bookworm main
`;
  expect(translateLines(sources, 'bookworm', 'trixie')).toBe(
    'deb [signed-by=/usr/share/keyrings/a.gpg arch=amd64] http://mirror.example/debian trixie main contrib\n',
  );
});
