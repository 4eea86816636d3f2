# An image of `seine serve` from this repository. It needs at least one API key, for it listens on all addresses:
#   docker build -t seine .
#   docker run -p 7700:7700 -v seine:/data -e SEINE_SERVE_KEYS='[{"name":"me","key":"0123456789abcdef-of-your-own","write":true}]' seine
FROM node:22-bookworm-slim AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends cmake g++ make \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The CPU runtime lies in the package; its install script would only look for CUDA libraries elsewhere.
ENV ONNXRUNTIME_NODE_INSTALL=skip
RUN npm install --no-save
COPY . .
RUN node scripts/build.mjs && node scripts/buildNative.mjs && npm prune --omit=dev --no-save

FROM node:22-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production SEINE_SERVE_INDEX=/data/index.seine SEINE_SERVE_HOST=0.0.0.0
COPY --from=build /app/package.json /app/LICENSE /app/NOTICE ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/kernels kernels
COPY --from=build /app/models models
COPY --from=build /app/prebuilds prebuilds
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 7700
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:7700/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself is process 1 and gets the signals: the first SIGTERM drains.
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["serve"]
