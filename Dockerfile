ARG NODE_IMAGE=node:24.18.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
# What better-sqlite3 is compiled with where there is no prebuilt binary of it.
RUN apt-get update \
  && apt-get install -y --no-install-recommends python3 make g++ \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
# .dockerignore names what is in here.
COPY . .
# /image is laid over the root folder below. Of better-sqlite3 it gets what runs, without the sources of SQLite.
RUN npm run build \
  && npm prune --omit=dev \
  && find node_modules/better-sqlite3 \( -name deps -o -name obj -o -name obj.target \) -prune -exec rm -rf {} + \
  && mkdir -p /image/app \
  && mv dist node_modules migrations package.json LICENSE /image/app/ \
  && mv functions /image/

FROM ${NODE_IMAGE}
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node -m 0711 /data
COPY --from=build /image /

ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data FUNCTIONS_DIR=/functions
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/v1/health`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
